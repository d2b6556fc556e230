//! Deploys a stack for chaos runs, runs them and prints the reports.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use ferrite_aws_client::endpoint::Target;
use ferrite_chaos::faults::FaultKind;
use ferrite_chaos::proxy::FaultProxy;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use ferrite_local_stack::functions::{Binary, build, functions};
use ferrite_local_stack::process::interrupted;
use ferrite_local_stack::running::{RunLock, RunningStack};
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::{Deployment, output};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};
use ferrite_storefront_chaos::options::{Length, Options, plan};
use ferrite_storefront_chaos::report::Report;
use ferrite_storefront_chaos::run::{ChaosRun, MutationKind, StackUnderTest};
use ferrite_token_issuer::issuer::Issuer;
use serde_json::{Map, Value};
use tokio::runtime::Builder;

const RUN: &str = "chaos";
/// How long, in seconds, the system waits for the SES event about an e-mail whose response from SES was lost. Each
/// such e-mail delays the end of a run by this time.
const CONFIRMATION_SECONDS: u32 = 25;

/// Prefix of the line for a check that passed.
const PASSED: &str = "passed: ";
/// Prefix of the line for a check that failed.
const FAILED: &str = "FAILED: ";

/// The settings of a chaos run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Seed of all random decisions.
    pub(crate) seed: u64,
    /// Number of concurrent customers.
    pub(crate) customers: usize,
    /// When customers stop placing orders.
    pub(crate) length: Length,
    /// Rates of faults that override the defaults.
    pub(crate) rates: Vec<(FaultKind, f64)>,
    /// Guarantee of the system to break.
    pub(crate) mutation: Option<MutationKind>,
}

impl Settings {
    fn options(&self) -> Options {
        let Self { seed, customers, length, .. } = *self;
        // A mutated system may never finish its work, so do not wait long.
        let quiesce_timeout = Duration::from_secs(if self.mutation.is_some() { 20 } else { 600 });
        Options { seed, customers, length, quiesce_timeout }
    }
}

/// Runs `./scripts/chaos`: builds the functions unless `no_build` is set, performs a chaos run and prints the report.
///
/// # Errors
/// Returns an error if there are violations or a step fails.
pub(crate) fn chaos(checkout: &Checkout, settings: &Settings, no_build: bool) -> anyhow::Result<()> {
    let binaries = build_functions(checkout, no_build)?;
    let result = DeployedStack::prepare(checkout, &binaries, CONFIRMATION_SECONDS)?.run(settings)?;
    report(&format!("\n{result}"));
    if result.violation_count() == 0 {
        return Ok(());
    }
    report(&format!("Log of the functions: {}", functions_log(&checkout.run_folder(RUN)?).display()));
    Err(AlreadyReported.into())
}

/// Runs `./scripts/chaos --short`: the checks that `./scripts/test` runs. It prints a line for each check that starts with
/// [`PASSED`] or [`FAILED`]. `./scripts/test` counts these lines.
///
/// # Errors
/// Returns an error if a check or a step fails.
pub(crate) fn short(checkout: &Checkout, no_build: bool) -> anyhow::Result<()> {
    let mut failed = false;
    for (name, failure) in run_checks(checkout, &build_functions(checkout, no_build)?)? {
        failed |= failure.is_some();
        match failure {
            None => report(&format!("{PASSED}{name}")),
            Some(result) => report(&format!("{FAILED}{name}\n{result}")),
        }
    }
    if failed { Err(AlreadyReported.into()) } else { Ok(()) }
}

fn build_functions(checkout: &Checkout, no_build: bool) -> anyhow::Result<Vec<Binary>> {
    match no_build {
        true => Ok(Vec::new()),
        false => Ok(step("Building the functions", || build(checkout, &functions(checkout)?))?),
    }
}

/// The name of a check, and the report of its chaos run if the check failed.
type CheckResult = (&'static str, Option<Report>);

/// Runs the checks: a run without a mutation must find no violation, and a run with each mutation must detect it.
fn run_checks(checkout: &Checkout, binaries: &[Binary]) -> anyhow::Result<Vec<CheckResult>> {
    let stack = DeployedStack::prepare(checkout, binaries, CONFIRMATION_SECONDS)?;
    let short = Settings { seed: 1, customers: 12, length: Length::Orders(100), rates: Vec::new(), mutation: None };
    let result = stack.run(&short)?;
    let failure = Some(result).filter(|report| report.violation_count() > 0);
    let mut checks = vec![("a chaos run finds no violations", failure)];
    // Without kills, because the messages of a killed function are delivered again only much later. Lost responses
    // cause most of the repeated requests.
    let rates = vec![(FaultKind::KillBefore, 0.0), (FaultKind::KillAfter, 0.0), (FaultKind::CutAfter, 0.2)];
    let mutated = Settings { length: Length::Orders(48), rates, ..short };
    for (name, mutation, invariants) in [
        ("detects split transactions", MutationKind::SplitTransaction, &["initial stock", "every accepted order"][..]),
        (
            "detects missing deduplication",
            MutationKind::NoDeduplication,
            &["charged twice", "each e-mail", "stranger's mailbox"],
        ),
    ] {
        let result = stack.run(&Settings { mutation: Some(mutation), ..mutated.clone() })?;
        let is_detected = invariants.iter().all(|invariant| result.violates(invariant));
        checks.push((name, Some(result).filter(|_| !is_detected)));
    }
    Ok(checks)
}

/// A stack on its own emulator. Its functions can reach the emulator only while the proxy of a run is open.
struct DeployedStack {
    _emulator: Emulator,
    _lock: RunLock,
    port: u16,
    functions_port: u16,
    target: Target,
    outputs: Map<String, Value>,
    issuer: Issuer,
}

impl DeployedStack {
    /// Starts an emulator and deploys the stack to it.
    fn prepare(checkout: &Checkout, binaries: &[Binary], confirmation_seconds: u32) -> anyhow::Result<Self> {
        let lock = RunLock::acquire(checkout, RUN)?.context("./scripts/chaos is already running in this checkout")?;
        lock.clear();
        let run_folder = checkout.run_folder(RUN)?;
        let staging = Staging::open(&run_folder)?;
        staging.put(binaries)?;
        staging.copy_template(checkout)?;
        let sam = install(checkout, &DEPLOY_TOOLS)?;
        let ministack = EmulatorKind::Ministack.install(checkout)?;
        let port = free_port()?;
        let functions_port = free_port()?;
        let issuer = Issuer::open(&checkout.keys_folder())?;
        let target = Target::local(port);
        let mut config = Section::load(checkout, "local")?;
        config.parameters.insert("EmailConfirmationSeconds".to_owned(), confirmation_seconds.to_string());
        config.parameters.insert("PendingOrderMinutes".to_owned(), "1".to_owned());
        // Customers place more orders per hour than people do.
        config.parameters.insert("EmailsPerHour".to_owned(), "1000".to_owned());
        let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
        let (emulator, outputs) = step(&format!("Deploying template.yaml as {stack}, to MiniStack on port {port}"), || {
            let options = StartOptions { functions_port: Some(functions_port), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &ministack, &run_folder, port, options)?;
            lock.record(&RunningStack::started_here(port, emulator.group(), false))?;
            let deployment = Deployment { checkout, sam: &sam, target: &target, config: &config, jwks: &issuer.jwks() };
            anyhow::Ok((emulator, deployment.deploy(&staging, &stack, &run_folder)?))
        })?;
        Ok(Self { _lock: lock, _emulator: emulator, port, functions_port, target, outputs, issuer })
    }

    fn run(&self, settings: &Settings) -> anyhow::Result<Report> {
        // Dropping the runtime closes the port of the proxy for the next run.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let plan = plan(settings.seed, &settings.rates);
        let proxy =
            runtime.block_on(FaultProxy::open(self.functions_port, emulator, plan)).context("cannot start the proxy")?;
        let stack = StackUnderTest {
            proxy: &proxy,
            emulator: &self.target,
            api_url: output(&self.outputs, "ApiUrl")?,
            outputs: &self.outputs,
            issuer: &self.issuer,
            interrupted,
        };
        let mut run = ChaosRun::prepare(stack, settings.options(), settings.mutation)?;
        let title = format!("Chaos run with {} customers, seed {}", settings.customers, settings.seed);
        step(&title, || run.run())?;
        Ok(step("Waiting until all work is done, without faults", || run.verify())?)
    }
}
