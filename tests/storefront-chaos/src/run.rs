//! A chaos run: prepares the stack, runs customers under faults, and checks the invariants.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_aws_client::client::SQS;
use ferrite_aws_client::endpoint::Target;
use ferrite_chaos::mutation::{Mutation, Writes};
use ferrite_chaos::proxy::FaultProxy;
use ferrite_token_issuer::issuer::Issuer;
use serde_json::{Map, Value, json};

use crate::background::{Background, Context};
use crate::customer::Customer;
use crate::emulator::Emulator;
use crate::error::ChaosError;
use crate::history::{History, Role};
use crate::options::{Length, Options};
use crate::quiesce::Watch;
use crate::report::Report;
use crate::script;
use crate::shop::{ApiRequest, Shop};
use crate::snapshot::{self, Product, Snapshot};
use crate::stack::Stack;

const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The visibility timeout during a run. The message of a killed function is delivered again only after this timeout,
/// and the timeout in the template (six times the function timeout) would take too long. With a short timeout, a
/// message may be delivered again while it is still processed, which at-least-once delivery permits.
const VISIBILITY_SECONDS: u32 = 5;
/// The stock of the product that never runs out.
const PLENTIFUL_STOCK: i64 = 1_000;

/// The stack of a chaos run. It runs on its own emulator.
#[derive(Debug, Clone, Copy)]
pub struct StackUnderTest<'a> {
    /// The proxy that the functions call.
    pub proxy: &'a FaultProxy,
    /// The emulator.
    pub emulator: &'a Target,
    /// URL of the API.
    pub api_url: &'a str,
    /// The outputs of the stack.
    pub outputs: &'a Map<String, Value>,
    /// The issuer that the stack trusts.
    pub issuer: &'a Issuer,
    /// Returns whether the run must stop.
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
    /// Number of e-mails that had been sent before the run.
    initial_emails: usize,
    background: Background,
    histories: BTreeMap<String, History>,
    faults_duration: Duration,
    started_at: SystemTime,
}

impl<'a> ChaosRun<'a> {
    /// Prepares the stack: removes the data of an earlier run, registers the functions with the proxy, and creates
    /// products.
    ///
    /// # Errors
    /// Returns an error if the stack lacks an output or a queue, or a call fails.
    pub fn prepare(
        target: StackUnderTest<'a>,
        options: Options,
        mutation: Option<MutationKind>,
    ) -> Result<Self, ChaosError> {
        let emulator = Emulator::new(target.emulator.clone());
        let shop = Shop::new(target.api_url, target.interrupted);
        let stack = Stack::read(target.outputs, &emulator)?;
        let (functions, proxy_functions) = emulator.functions()?;
        target.proxy.set_functions(proxy_functions);
        target.proxy.watch(&stack.ledger);
        if let Some(mutation) = mutation {
            target.proxy.mutate(mutation.for_stack(&stack));
        }
        stack.clear(&emulator)?;
        for queue in &stack.queues {
            let attributes = json!({ "VisibilityTimeout": VISIBILITY_SECONDS.to_string() });
            emulator.call(SQS, "SetQueueAttributes", &json!({ "QueueUrl": queue.url, "Attributes": attributes }))?;
        }
        // The stock covers about 60% of the units that customers order.
        let ordered_units = options.expected_orders() * script::MEAN_UNITS_PER_ORDER;
        let initial = i64::try_from(ordered_units * 6 / 10 / script::PRODUCTS).unwrap_or(PLENTIFUL_STOCK).max(1);
        let admin = target.issuer.mint("admin", &[ADMIN_SCOPE], TOKEN_LIFETIME);
        let create = |name: String, stock| create_product(&shop, &admin, &name, stock).map(|id| (id, stock));
        let products = (0..script::PRODUCTS).map(|n| create(format!("Scarce {n}"), initial)).collect::<Result<_, _>>()?;
        let (plentiful, _) = create("Plentiful".to_owned(), PLENTIFUL_STOCK)?;
        Ok(Self {
            initial_emails: emulator.emails()?.len(),
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
            faults_duration: Duration::ZERO,
            started_at: SystemTime::now(),
        })
    }

    /// Runs the customers while faults are on.
    ///
    /// # Errors
    /// Returns an error if the emulator is unreachable or the run is interrupted.
    pub fn run(&mut self) -> Result<(), ChaosError> {
        let start = Instant::now();
        let tokens = (0..self.options.customers).map(|number| self.token(number)).collect::<Vec<_>>();
        let stop = AtomicBool::new(false);
        self.target.proxy.set_faults(true);
        let run = &*self;
        let stop_requested = &stop;
        let histories = thread::scope(|scope| {
            let background = scope.spawn(|| run.background.run(&run.context(), stop_requested));
            let customers: Vec<_> = tokens
                .into_iter()
                .enumerate()
                .map(|(number, token)| scope.spawn(move || run.run_customer(number, token, start)))
                .collect();
            let histories: Result<Vec<_>, _> = customers.into_iter().map(join).collect();
            stop.store(true, Ordering::Relaxed);
            join(background)?;
            histories
        });
        self.target.proxy.set_faults(false);
        self.histories = histories?.into_iter().collect();
        self.faults_duration = start.elapsed();
        Ok(())
    }

    /// Waits until all work is done, and checks the invariants.
    ///
    /// # Errors
    /// Returns an error if the emulator is unreachable or the run is interrupted.
    pub fn verify(mut self) -> Result<Report, ChaosError> {
        let start = Instant::now();
        // A delayed call may still be executed after its caller has died.
        thread::sleep(Duration::from_millis(600));
        let watch = Watch {
            emulator: &self.emulator,
            stack: &self.stack,
            deadline: start + self.options.quiesce_timeout,
            interrupted: self.target.interrupted,
        };
        let id = "sentinel".to_owned();
        let token = self.target.issuer.mint(&id, &[], TOKEN_LIFETIME);
        let plentiful = [self.plentiful.clone()];
        let history = History::default();
        let emulator = &self.emulator;
        let initial_emails = self.initial_emails;
        let mut sentinel = Customer { shop: &self.shop, emulator, initial_emails, id, token, products: &plentiful, history };
        let mut rounds = 0;
        watch.quiesce(&mut sentinel, &mut rounds)?;
        if let Some(expire) = self.functions.iter().find(|name| name.ends_with("expire-orders")) {
            self.emulator.invoke(expire, &scheduled_event())?;
            watch.quiesce(&mut sentinel, &mut rounds)?;
        }
        self.histories.insert(sentinel.id, sentinel.history);
        self.confirm_remaining_addresses()?;
        let snapshot = self.snapshot()?;
        let durations = [self.faults_duration, start.elapsed()];
        let duplicates = self.background.duplicates();
        Ok(Report::new(self.options.seed, self.target.proxy.fault_counts(), duplicates, durations, &snapshot))
    }

    /// Lets the customers confirm their addresses whose welcome e-mail arrived after their last purchase.
    fn confirm_remaining_addresses(&mut self) -> Result<(), ChaosError> {
        for (id, history) in mem::take(&mut self.histories) {
            let mut customer = Customer {
                shop: &self.shop,
                emulator: &self.emulator,
                initial_emails: self.initial_emails,
                token: self.target.issuer.mint(&id, &[], TOKEN_LIFETIME),
                id,
                products: &[],
                history,
            };
            customer.confirm_if_received()?;
            self.histories.insert(customer.id, customer.history);
        }
        Ok(())
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

    /// Runs a customer until its last purchase. A request without a final response counts as an unexpected response.
    fn run_customer(&self, number: usize, token: String, start: Instant) -> Result<(String, History), ChaosError> {
        let products: Vec<String> = self.products.iter().map(|(id, _)| id.clone()).collect();
        let history = History { role: Role::of_customer(number), ..History::default() };
        let mut customer = Customer {
            shop: &self.shop,
            emulator: &self.emulator,
            initial_emails: self.initial_emails,
            id: customer_id(number),
            token,
            products: &products,
            history,
        };
        let max_purchases = match self.options.length {
            Length::Orders(orders) => orders.div_ceil(self.options.customers),
            Length::Seconds(_) => usize::MAX,
        };
        let deadline = match self.options.length {
            Length::Orders(_) => None,
            Length::Seconds(seconds) => Some(start + Duration::from_secs(seconds)),
        };
        let purchases = script::purchases(self.options.seed, number).take(max_purchases);
        let purchases = purchases.take_while(|_| deadline.is_none_or(|deadline| Instant::now() < deadline));
        match customer.register().and_then(|()| customer.make_purchases(purchases)) {
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
            emails: self.emulator.emails()?.split_off(self.initial_emails),
            dead_letters: snapshot::dead_letters(&self.emulator, &self.stack)?,
            histories: self.histories.clone(),
            poison: self.background.poison(),
            clock_hours: clock_hour(SystemTime::now()) - clock_hour(self.started_at) + 1,
            undelivered,
            unplanned_failures: self.target.proxy.fault_counts().unplanned_failures,
        })
    }
}

/// A mutation of the storefront, to test that a chaos run detects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MutationKind {
    /// See [`Mutation::SplitTransaction`].
    SplitTransaction,
    /// See [`Mutation::NoDeduplication`]; applies to the gateway's ledger, the idempotency table, and the e-mail limits.
    NoDeduplication,
}

impl MutationKind {
    fn for_stack(self, stack: &Stack) -> Mutation {
        match self {
            Self::SplitTransaction => Mutation::SplitTransaction,
            Self::NoDeduplication => Mutation::NoDeduplication(
                [stack.ledger.clone()]
                    .into_iter()
                    .chain(stack.idempotency_table.clone())
                    .map(Writes::to_table)
                    .chain([Writes::to_partitions(stack.table.clone(), "MAILBOX#")])
                    .collect(),
            ),
        }
    }
}

/// Returns the number of the clock hour since 1970.
fn clock_hour(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 3600
}

fn customer_id(number: usize) -> String {
    format!("customer-{number}")
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, Result<T, ChaosError>>) -> Result<T, ChaosError> {
    thread.join().unwrap_or(Err(ChaosError::Interrupted))
}

fn create_product(shop: &Shop, admin: &str, name: &str, stock: i64) -> Result<String, ChaosError> {
    let body = json!({ "name": name, "price": {"amount": 1250, "currency": "EUR"}, "stock": stock });
    let request = ApiRequest {
        method: "POST",
        path: "/products".to_owned(),
        token: admin,
        key: Some(name.replace(' ', "-")),
        body: Some(body),
    };
    let (response, _) = shop.send_until_final(&request)?;
    match response.json()["id"].as_str() {
        Some(id) if response.status == 201 => Ok(id.to_owned()),
        _ => Err(ChaosError::Rejected {
            request: format!("POST /products for {name}"),
            status: response.status,
            body: response.body,
        }),
    }
}

/// The event of a schedule ("Tutorial: Schedule AWS Lambda functions using EventBridge").
fn scheduled_event() -> Value {
    json!({
        "version": "0", "id": "chaos", "detail-type": "Scheduled Event", "source": "aws.events",
        "time": "2026-11-22T00:00:00Z", "resources": [], "detail": {},
    })
}
