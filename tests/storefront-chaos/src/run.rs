//! A chaos run, from the preparation of the stack to the report.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ferrite_aws_client::client::SQS;
use ferrite_aws_client::endpoint::Target;
use ferrite_chaos::mutation::Mutation;
use ferrite_chaos::proxy::FaultProxy;
use ferrite_storefront_tools::scopes::ADMIN_SCOPE;
use ferrite_token_issuer::issuer::Issuer;
use serde_json::{Map, Value, json};

use crate::background::{Background, Context};
use crate::customer::Customer;
use crate::emulator::Emulator;
use crate::error::ChaosError;
use crate::history::History;
use crate::options::{Length, Options};
use crate::quiesce::Watch;
use crate::report::Report;
use crate::script;
use crate::shop::{Call, Shop};
use crate::snapshot::{self, Product, Snapshot};
use crate::stack::Stack;

const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The visibility timeout during a run. The message of a killed function is delivered again only after it, and the template's
/// six times the function's timeout would take too long. Messages may then be delivered again while they are still handled,
/// which at-least-once delivery permits.
const VISIBILITY_SECONDS: u32 = 5;
/// The stock of the product that never runs out.
const PLENTIFUL_STOCK: i64 = 1_000;

/// The stack of a chaos run, on an emulator of its own.
#[derive(Debug, Clone, Copy)]
pub struct StackUnderTest<'a> {
    /// The proxy that the stack's functions call.
    pub proxy: &'a FaultProxy,
    /// The emulator.
    pub emulator: &'a Target,
    /// The API's address.
    pub api: &'a str,
    /// The stack's outputs.
    pub outputs: &'a Map<String, Value>,
    /// The issuer that the stack trusts.
    pub issuer: &'a Issuer,
    /// Whether the run is to stop.
    pub interrupted: fn() -> bool,
}

/// A chaos run.
#[derive(Debug)]
pub struct ChaosRun<'a> {
    target: StackUnderTest<'a>,
    options: Options,
    emulator: Emulator,
    shop: Shop,
    stack: Stack,
    functions: Vec<String>,
    /// The products that the customers compete for, with their initial stock.
    products: Vec<(String, i64)>,
    /// The product that never runs out.
    plentiful: String,
    /// How many e-mails there were before.
    mails: usize,
    background: Background,
    histories: BTreeMap<String, History>,
    took: Duration,
}

impl<'a> ChaosRun<'a> {
    /// Prepares the stack: removes what an earlier run left, sets the proxy's functions, and creates products.
    ///
    /// # Errors
    /// When the stack is not as it should be.
    pub fn prepare(
        target: StackUnderTest<'a>,
        options: Options,
        mutation: Option<MutationKind>,
    ) -> Result<Self, ChaosError> {
        let (emulator, shop) = (Emulator::new(target.emulator.clone()), Shop::at(target.api, target.interrupted));
        let stack = Stack::read(target.outputs, &emulator)?;
        let (functions, known) = emulator.functions()?;
        target.proxy.set_functions(known);
        target.proxy.watch(&stack.ledger);
        if let Some(mutation) = mutation {
            target.proxy.mutate(mutation.on(&stack));
        }
        stack.clear(&emulator)?;
        for queue in &stack.queues {
            let attributes = json!({ "VisibilityTimeout": VISIBILITY_SECONDS.to_string() });
            emulator.call(SQS, "SetQueueAttributes", &json!({ "QueueUrl": queue.url, "Attributes": attributes }))?;
        }
        // Six pieces for ten that will be ordered.
        let initial =
            i64::try_from(options.orders() * script::PIECES * 6 / 10 / script::PRODUCTS).unwrap_or(PLENTIFUL_STOCK).max(1);
        let admin = target.issuer.mint("admin", &[ADMIN_SCOPE], TOKEN_LIFETIME);
        let create = |name: String, stock| create_product(&shop, &admin, &name, stock).map(|id| (id, stock));
        let products = (0..script::PRODUCTS).map(|n| create(format!("Scarce {n}"), initial)).collect::<Result<_, _>>()?;
        let (plentiful, _) = create("Plentiful".to_owned(), PLENTIFUL_STOCK)?;
        Ok(Self {
            mails: emulator.mails()?.len(),
            target,
            options,
            emulator,
            shop,
            stack,
            functions,
            products,
            plentiful,
            background: Background::default(),
            histories: BTreeMap::new(),
            took: Duration::ZERO,
        })
    }

    /// Lets customers buy under faults.
    ///
    /// # Errors
    /// When the emulator is gone, or the run is interrupted.
    pub fn run(&mut self) -> Result<(), ChaosError> {
        let begin = Instant::now();
        let customers = (0..self.options.customers).map(|number| self.token(number)).collect::<Vec<_>>();
        let over = AtomicBool::new(false);
        self.target.proxy.set_faults(true);
        let (run, over_yet) = (&*self, &over);
        let histories = thread::scope(|scope| {
            let background = scope.spawn(|| run.background.run(&run.context(), over_yet));
            let customers: Vec<_> = customers
                .into_iter()
                .enumerate()
                .map(|(number, token)| scope.spawn(move || run.visit(number, token, begin)))
                .collect();
            let histories: Result<Vec<_>, _> = customers.into_iter().map(joined).collect();
            over.store(true, Ordering::Relaxed);
            joined(background)?;
            histories
        });
        self.target.proxy.set_faults(false);
        self.histories = histories?.into_iter().collect();
        self.took = begin.elapsed();
        Ok(())
    }

    /// Waits until all work is done, and checks the invariants.
    ///
    /// # Errors
    /// When the emulator is gone, or the run is interrupted.
    pub fn verify(mut self) -> Result<Report, ChaosError> {
        let begin = Instant::now();
        // A call that was delayed may be carried out although its caller is dead.
        thread::sleep(Duration::from_millis(600));
        let watch = Watch {
            emulator: &self.emulator,
            stack: &self.stack,
            deadline: begin + self.options.quiesce_timeout,
            interrupted: self.target.interrupted,
        };
        let id = "sentinel".to_owned();
        let (token, plentiful) = (self.target.issuer.mint(&id, &[], TOKEN_LIFETIME), [self.plentiful.clone()]);
        let mut sentinel = Customer { shop: &self.shop, id, token, products: &plentiful, history: History::default() };
        let mut rounds = 0;
        watch.quiesce(&mut sentinel, &mut rounds)?;
        if let Some(expire) = self.functions.iter().find(|name| name.ends_with("expire-orders")) {
            self.emulator.invoke(expire, &tick())?;
            watch.quiesce(&mut sentinel, &mut rounds)?;
        }
        self.histories.insert(sentinel.id, sentinel.history);
        let snapshot = self.snapshot()?;
        let took = [self.took, begin.elapsed()];
        let duplicates = self.background.duplicates();
        Ok(Report::of(self.options.seed, self.target.proxy.fault_counts(), duplicates, took, &snapshot))
    }

    fn token(&self, number: usize) -> String {
        self.target.issuer.mint(&customer_id(number), &[], TOKEN_LIFETIME)
    }

    fn context(&self) -> Context<'_> {
        Context {
            emulator: &self.emulator,
            stack: &self.stack,
            functions: &self.functions,
            products: &self.products,
            published: self.target.proxy.duplicates(),
            seed: self.options.seed,
            interrupted: self.target.interrupted,
        }
    }

    /// Everything that a customer does. A request that failed for too long counts as an unexpected response.
    fn visit(&self, number: usize, token: String, begin: Instant) -> Result<(String, History), ChaosError> {
        let products: Vec<String> = self.products.iter().map(|(id, _)| id.clone()).collect();
        let mut customer =
            Customer { shop: &self.shop, id: customer_id(number), token, products: &products, history: History::default() };
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
            Err(ChaosError::Interrupted) => return Err(ChaosError::Interrupted),
            Err(error) => customer.history.unexpected.push(format!("{} gave up: {error}", customer.id)),
            Ok(()) => {}
        }
        Ok((customer.id, customer.history))
    }

    fn snapshot(&self) -> Result<Snapshot, ChaosError> {
        let lowest = self.background.lowest_stock();
        let plentiful = (self.plentiful.clone(), PLENTIFUL_STOCK);
        let products = self.products.iter().chain([&plentiful]).map(|(id, initial)| {
            let stock = snapshot::stock(&self.emulator, &self.stack, id)?;
            Ok(Product { id: id.clone(), initial: *initial, stock, lowest: lowest.get(id).copied().unwrap_or(stock) })
        });
        let mut undelivered = Vec::new();
        for queue in &self.stack.queues {
            undelivered.extend(self.emulator.messages(&queue.url)?.into_iter().map(|message| message.body));
        }
        Ok(Snapshot {
            products: products.collect::<Result<_, ChaosError>>()?,
            orders: snapshot::orders(&self.emulator, &self.stack)?,
            ledger: snapshot::ledger(&self.emulator, &self.stack)?,
            approvals: snapshot::approvals(&self.target.proxy.writes()),
            mails: self.emulator.mails()?.split_off(self.mails),
            dead_letters: snapshot::dead_letters(&self.emulator, &self.stack)?,
            histories: self.histories.clone(),
            poison: self.background.poison(),
            undelivered,
            unplanned: self.target.proxy.fault_counts().unplanned,
        })
    }
}

/// A mutation of the storefront, to prove that a chaos run finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MutationKind {
    /// See [`Mutation::SplitTransaction`].
    SplitTransaction,
    /// See [`Mutation::NoDeduplication`], for the gateway's ledger and the idempotency table.
    NoDeduplication,
}

impl MutationKind {
    fn on(self, stack: &Stack) -> Mutation {
        match self {
            Self::SplitTransaction => Mutation::SplitTransaction,
            Self::NoDeduplication => Mutation::NoDeduplication(
                [stack.ledger.clone()].into_iter().chain(stack.idempotency_table.clone()).collect(),
            ),
        }
    }
}

fn customer_id(number: usize) -> String {
    format!("customer-{number}")
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, ChaosError>>) -> Result<T, ChaosError> {
    thread.join().unwrap_or(Err(ChaosError::Interrupted))
}

fn create_product(shop: &Shop, admin: &str, name: &str, stock: i64) -> Result<String, ChaosError> {
    let body = json!({ "name": name, "price": {"amount": 1250, "currency": "EUR"}, "stock": stock });
    let call = Call {
        method: "POST",
        path: "/products".to_owned(),
        token: admin,
        key: Some(name.replace(' ', "-")),
        body: Some(body),
    };
    let (answer, _) = shop.send_until_final(&call)?;
    match answer.json()["id"].as_str() {
        Some(id) if answer.status == 201 => Ok(id.to_owned()),
        _ => Err(ChaosError::Rejected {
            request: format!("creating the product {name}"),
            status: answer.status,
            body: answer.body,
        }),
    }
}

/// The event of a schedule ("Tutorial: Schedule AWS Lambda functions using EventBridge").
fn tick() -> Value {
    json!({
        "version": "0", "id": "chaos", "detail-type": "Scheduled Event", "source": "aws.events",
        "time": "2026-11-22T00:00:00Z", "resources": [], "detail": {},
    })
}
