//! The storm and the proof: customers fight for scarce stock while calls fail, functions die and events come twice; then
//! the faults stop, and what is left is compared.
//!
//! | to find out | read |
//! |---|---|
//! | what customers do | `script.rs` plans it, `customer.rs` does it |
//! | what happens to them meanwhile, calls apart | `beside.rs` |
//! | what is planted that cannot be handled | `poison.rs` |
//! | when all is done | `rest.rs` |
//! | what must be true then | `invariants.rs`, of what `books.rs` has read |

mod beside;
mod books;
mod customer;
mod emulator;
mod error;
mod invariants;
mod options;
mod poison;
mod report;
mod rest;
mod script;
mod shop;
mod stack;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ferrite_tests::issuer::{ADMIN_SCOPE, Issuer};
use serde_json::{Map, Value, json};

pub use self::error::StormError;
pub use self::options::{Length, Options, RATES, plan};
pub use self::report::Report;

use self::books::{Books, Product};
use self::customer::{Customer, Diary};
use self::emulator::{Emulator, SQS};
use self::poison::Poison;
use self::rest::Watch;
use self::shop::{Call, Shop};
use self::stack::Stack;
use crate::{Proxy, Sabotage};

const TOKENS_LAST: Duration = Duration::from_secs(12 * 60 * 60);
/// A message whose function was killed comes again after the queue's visibility timeout. The template has the six times a
/// function's timeout that AWS recommends, which a storm would have to wait out after its last kill. With this, which AWS
/// would not allow, messages may come again even while they are handled; at least once promises no less.
const VISIBILITY_SECONDS: u32 = 5;
/// Everybody can have some of this, in the end.
const PLENTY: i64 = 1_000;

/// Where a storm takes place: a stack of its own on an emulator of its own.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// What the stack's functions take for AWS.
    pub proxy: &'a Proxy,
    /// The emulator's own address.
    pub emulator: &'a str,
    /// The API's address.
    pub api: &'a str,
    /// The stack's outputs.
    pub outputs: &'a Map<String, Value>,
    /// Whose tokens the stack accepts.
    pub issuer: &'a Issuer,
    /// Whether the storm is to be broken off.
    pub interrupted: fn() -> bool,
}

/// A storm.
#[derive(Debug)]
pub struct Storm<'a> {
    site: Site<'a>,
    options: Options,
    emulator: Emulator,
    shop: Shop,
    stack: Stack,
    functions: Vec<String>,
    /// What the customers fight for, with what there is of each.
    products: Vec<(String, i64)>,
    /// What nobody has to fight for.
    plentiful: String,
    /// How many e-mails there were before.
    mails: usize,
    lowest: Mutex<BTreeMap<String, i64>>,
    poison: Mutex<Vec<Poison>>,
    duplicates: AtomicUsize,
    diaries: BTreeMap<String, Diary>,
    raged: Duration,
}

fn go_on(interrupted: fn() -> bool) -> Result<(), StormError> {
    if interrupted() { Err(StormError::Interrupted) } else { Ok(()) }
}

impl<'a> Storm<'a> {
    /// Gets the stack ready: what an earlier storm has left is removed, its functions are known to the proxy, and there are
    /// products.
    ///
    /// # Errors
    /// When the stack is not as it should be.
    pub fn prepare(site: Site<'a>, options: Options, sabotaged: Option<Sabotaged>) -> Result<Self, StormError> {
        let (emulator, shop) = (Emulator::at(site.emulator), Shop::at(site.api, site.interrupted));
        let stack = Stack::read(site.outputs, &emulator)?;
        let (functions, known) = emulator.functions()?;
        site.proxy.introduce(known);
        site.proxy.watch(&stack.ledger);
        if let Some(sabotaged) = sabotaged {
            site.proxy.sabotage(sabotaged.of(&stack));
        }
        stack.forget(&emulator)?;
        for queue in &stack.queues {
            let attributes = json!({ "VisibilityTimeout": VISIBILITY_SECONDS.to_string() });
            emulator.call(SQS, "SetQueueAttributes", &json!({ "QueueUrl": queue.url, "Attributes": attributes }))?;
        }
        // Six pieces for ten that will be asked for.
        let initial = i64::try_from(options.orders() * script::PIECES * 6 / 10 / script::PRODUCTS).unwrap_or(PLENTY).max(1);
        let admin = site.issuer.mint("admin", &[ADMIN_SCOPE], TOKENS_LAST)?;
        let create = |name: String, stock| create_product(&shop, &admin, &name, stock).map(|id| (id, stock));
        let products = (0..script::PRODUCTS).map(|n| create(format!("Scarce {n}"), initial)).collect::<Result<_, _>>()?;
        let (plentiful, _) = create("Plentiful".to_owned(), PLENTY)?;
        Ok(Self {
            mails: emulator.mails()?.len(),
            site,
            options,
            emulator,
            shop,
            stack,
            functions,
            products,
            plentiful,
            lowest: Mutex::default(),
            poison: Mutex::default(),
            duplicates: AtomicUsize::new(0),
            diaries: BTreeMap::new(),
            raged: Duration::ZERO,
        })
    }

    /// Lets customers buy under faults until they have enough.
    ///
    /// # Errors
    /// When the emulator is gone, or the storm is to be broken off.
    pub fn rage(&mut self) -> Result<(), StormError> {
        let begin = Instant::now();
        let customers = (0..self.options.customers).map(|number| self.token(number)).collect::<Result<Vec<_>, _>>()?;
        let over = AtomicBool::new(false);
        self.site.proxy.faults(true);
        let (storm, over_yet) = (&*self, &over);
        let diaries = thread::scope(|scope| {
            let beside = scope.spawn(|| storm.beside(over_yet));
            let customers: Vec<_> = customers
                .into_iter()
                .enumerate()
                .map(|(number, token)| scope.spawn(move || storm.visit(number, token, begin)))
                .collect();
            let diaries: Result<Vec<_>, _> = customers.into_iter().map(joined).collect();
            over.store(true, Ordering::Relaxed);
            joined(beside)?;
            diaries
        });
        self.site.proxy.faults(false);
        self.diaries = diaries?.into_iter().collect();
        self.raged = begin.elapsed();
        Ok(())
    }

    /// Waits until the system is at rest, and compares.
    ///
    /// # Errors
    /// When the emulator is gone, or the storm is to be broken off.
    pub fn verify(mut self) -> Result<Report, StormError> {
        let begin = Instant::now();
        // A call that was delayed may be carried out although its caller is dead.
        thread::sleep(Duration::from_millis(600));
        let watch = Watch {
            emulator: &self.emulator,
            stack: &self.stack,
            deadline: begin + self.options.patience,
            interrupted: self.site.interrupted,
        };
        let id = "sentinel".to_owned();
        let (token, plentiful) = (self.site.issuer.mint(&id, &[], TOKENS_LAST)?, [self.plentiful.clone()]);
        let mut sentinel = Customer { shop: &self.shop, id, token, products: &plentiful, diary: Diary::default() };
        let mut rounds = 0;
        watch.until_at_rest(&mut sentinel, &mut rounds)?;
        if let Some(expire) = self.functions.iter().find(|name| name.ends_with("expire-orders")) {
            self.emulator.invoke(expire, &tick())?;
            watch.until_at_rest(&mut sentinel, &mut rounds)?;
        }
        self.diaries.insert(sentinel.id, sentinel.diary);
        let books = self.books()?;
        let took = [self.raged, begin.elapsed()];
        let duplicates = self.duplicates.into_inner();
        Ok(Report::of(self.options.seed, self.site.proxy.tally(), duplicates, took, &books))
    }

    fn token(&self, number: usize) -> Result<String, StormError> {
        Ok(self.site.issuer.mint(&customer_id(number), &[], TOKENS_LAST)?)
    }

    /// All that a customer does. That they lost patience is something that no customer should.
    fn visit(&self, number: usize, token: String, begin: Instant) -> Result<(String, Diary), StormError> {
        let products: Vec<String> = self.products.iter().map(|(id, _)| id.clone()).collect();
        let mut customer =
            Customer { shop: &self.shop, id: customer_id(number), token, products: &products, diary: Diary::default() };
        let each = match self.options.length {
            Length::Orders(orders) => orders.div_ceil(self.options.customers),
            Length::Seconds(_) => usize::MAX,
        };
        let until = match self.options.length {
            Length::Orders(_) => None,
            Length::Seconds(seconds) => Some(begin + Duration::from_secs(seconds)),
        };
        let purchases = script::purchases(self.options.seed, number).take(each);
        let purchases = purchases.take_while(|_| until.is_none_or(|until| Instant::now() < until));
        match customer.register().and_then(|()| customer.shop(purchases)) {
            Err(StormError::Interrupted) => return Err(StormError::Interrupted),
            Err(error) => customer.diary.unexpected.push(format!("{} lost patience: {error}", customer.id)),
            Ok(()) => {}
        }
        Ok((customer.id, customer.diary))
    }

    fn books(&self) -> Result<Books, StormError> {
        let lowest = self.lowest.lock().unwrap_or_else(PoisonError::into_inner);
        let plentiful = (self.plentiful.clone(), PLENTY);
        let products = self.products.iter().chain([&plentiful]).map(|(id, initial)| {
            let stock = books::stock(&self.emulator, &self.stack, id)?;
            Ok(Product { id: id.clone(), initial: *initial, stock, lowest: lowest.get(id).copied().unwrap_or(stock) })
        });
        let mut undelivered = Vec::new();
        for queue in &self.stack.queues {
            undelivered.extend(self.emulator.messages(&queue.url)?.into_iter().map(|message| message.body));
        }
        Ok(Books {
            products: products.collect::<Result<_, StormError>>()?,
            orders: books::orders(&self.emulator, &self.stack)?,
            ledger: books::ledger(&self.emulator, &self.stack)?,
            approvals: books::approvals(&self.site.proxy.writes()),
            mails: self.emulator.mails()?.split_off(self.mails),
            dead_letters: books::dead_letters(&self.emulator, &self.stack)?,
            diaries: self.diaries.clone(),
            poison: self.poison.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            undelivered,
            unplanned: self.site.proxy.tally().unplanned,
        })
    }
}

/// What is taken away from the system, to see that the storm finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotaged {
    /// See [`Sabotage::SplitTransaction`].
    Transaction,
    /// See [`Sabotage::NoDedupe`]: of the gateway's ledger and of the idempotency table.
    Dedupe,
}

impl Sabotaged {
    fn of(self, stack: &Stack) -> Sabotage {
        match self {
            Self::Transaction => Sabotage::SplitTransaction,
            Self::Dedupe => {
                Sabotage::NoDedupe([stack.ledger.clone()].into_iter().chain(stack.idempotency_table.clone()).collect())
            }
        }
    }
}

fn customer_id(number: usize) -> String {
    format!("customer-{number}")
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, StormError>>) -> Result<T, StormError> {
    thread.join().unwrap_or(Err(StormError::Interrupted))
}

fn create_product(shop: &Shop, admin: &str, name: &str, stock: i64) -> Result<String, StormError> {
    let body = json!({ "name": name, "price": {"amount": 1250, "currency": "EUR"}, "stock": stock });
    let call = Call {
        method: "POST",
        path: "/products".to_owned(),
        token: admin,
        key: Some(name.replace(' ', "-")),
        body: Some(body),
    };
    let (answer, _) = shop.insist(&call)?;
    match answer.json()["id"].as_str() {
        Some(id) if answer.status == 201 => Ok(id.to_owned()),
        _ => Err(StormError::Refused {
            what: format!("creating the product {name}"),
            status: answer.status,
            body: answer.body,
        }),
    }
}

/// What a schedule sends ("Tutorial: Schedule AWS Lambda functions using EventBridge").
fn tick() -> Value {
    json!({
        "version": "0", "id": "storm", "detail-type": "Scheduled Event", "source": "aws.events",
        "time": "2026-11-22T00:00:00Z", "resources": [], "detail": {},
    })
}
