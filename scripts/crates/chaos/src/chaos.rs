//! A chaos run on a stack of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use ferrite_aws_client::endpoint::Target;
use ferrite_chaos::faults::Kind;
use ferrite_chaos::proxy::FaultProxy;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use ferrite_local_stack::functions::{Binary, build, functions};
use ferrite_local_stack::process::interrupted;
use ferrite_local_stack::running::{RunLock, Running};
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
/// How long an e-mail without a response of SES waits for its confirmation, in seconds. Every such e-mail delays the end of a
/// run by that time.
const CONFIRMATION_SECONDS: u32 = 25;

/// The beginning of the line about a run that shows what it must.
const SHOWN: &str = "shown: ";
/// The beginning of the line about a run that does not.
const NOT_SHOWN: &str = "NOT shown: ";

/// The settings of a chaos run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The seed of everything random.
    pub(crate) seed: u64,
    /// How many customers there are at the same time.
    pub(crate) customers: usize,
    /// When they stop.
    pub(crate) length: Length,
    /// Shares of calls that meet a fault, in place of the defaults.
    pub(crate) rates: Vec<(Kind, f64)>,
    /// A mutation of the system.
    pub(crate) mutation: Option<MutationKind>,
}

impl Settings {
    fn options(&self) -> Options {
        let Self { seed, customers, length, .. } = *self;
        // A broken system may never finish its work, so waiting longer is of no use.
        let quiesce_timeout = Duration::from_secs(if self.mutation.is_some() { 20 } else { 600 });
        Options { seed, customers, length, quiesce_timeout }
    }
}

/// Runs `./scripts/chaos`: builds the functions, unless those of the last run are to be used, and prints the report.
///
/// # Errors
/// When there are violations, or a step fails.
pub(crate) fn chaos(checkout: &Checkout, settings: &Settings, no_build: bool) -> anyhow::Result<()> {
    let binaries = built(checkout, no_build)?;
    let found = DeployedStack::prepare(checkout, &binaries, CONFIRMATION_SECONDS)?.run(settings)?;
    report(&format!("\n{found}"));
    if found.count() == 0 {
        return Ok(());
    }
    report(&format!("The functions' log: {}", functions_log(&checkout.run_folder(RUN)?).display()));
    Err(AlreadyReported.into())
}

/// Runs `./scripts/chaos --short`: the runs of `./scripts/test`. Each is reported in a line that begins with [`SHOWN`] or
/// [`NOT_SHOWN`], which `./scripts/test` counts.
///
/// # Errors
/// When a run does not show what it must, or a step fails.
pub(crate) fn short(checkout: &Checkout, no_build: bool) -> anyhow::Result<()> {
    let mut failed = false;
    for (name, unexpected) in prove(checkout, &built(checkout, no_build)?)? {
        failed |= unexpected.is_some();
        match unexpected {
            None => report(&format!("{SHOWN}{name}")),
            Some(found) => report(&format!("{NOT_SHOWN}{name}\n{found}")),
        }
    }
    if failed { Err(AlreadyReported.into()) } else { Ok(()) }
}

fn built(checkout: &Checkout, no_build: bool) -> anyhow::Result<Vec<Binary>> {
    match no_build {
        true => Ok(Vec::new()),
        false => Ok(step("Building the functions", || build(checkout, &functions(checkout)?))?),
    }
}

/// What a run of `./scripts/test` must show, and its report if it does not.
type Proof = (&'static str, Option<Report>);

/// The runs of `./scripts/test`: one that must find no violation, and one for each mutation, which must find it.
fn prove(checkout: &Checkout, binaries: &[Binary]) -> anyhow::Result<Vec<Proof>> {
    let stack = DeployedStack::prepare(checkout, binaries, CONFIRMATION_SECONDS)?;
    let short = Settings { seed: 1, customers: 12, length: Length::Orders(100), rates: Vec::new(), mutation: None };
    let whole = stack.run(&short)?;
    let mut proofs = vec![("a chaos run finds no violation", Some(whole).filter(|report| report.count() > 0))];
    // Without kills, after which messages are redelivered only much later. Lost responses cause most repeats.
    let rates = vec![(Kind::KillBefore, 0.0), (Kind::KillAfter, 0.0), (Kind::CutAfter, 0.2)];
    let mutated = Settings { length: Length::Orders(48), rates, ..short };
    for (name, mutation, invariants) in [
        ("a split transaction is found", MutationKind::SplitTransaction, ["initial stock", "every accepted order"]),
        ("missing deduplication is found", MutationKind::NoDeduplication, ["charged twice", "e-mail"]),
    ] {
        let found = stack.run(&Settings { mutation: Some(mutation), ..mutated.clone() })?;
        let is_found = invariants.iter().all(|invariant| found.violates(invariant));
        proofs.push((name, Some(found).filter(|_| !is_found)));
    }
    Ok(proofs)
}

/// A stack on an emulator of its own, whose functions reach the emulator only while a run's proxy is open.
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
    /// Deploys to a new emulator.
    fn prepare(checkout: &Checkout, binaries: &[Binary], confirmation_seconds: u32) -> anyhow::Result<Self> {
        let lock = RunLock::acquire(checkout, RUN)?.context("./scripts/chaos runs in this checkout already")?;
        lock.clear();
        let run_folder = checkout.run_folder(RUN)?;
        let staging = Staging::in_run(&run_folder)?;
        staging.put(binaries)?;
        staging.copy_template(checkout)?;
        let (sam, ministack) = (install(checkout, &DEPLOY_TOOLS)?, EmulatorKind::Ministack.install(checkout)?);
        let (port, functions_port) = (free_port()?, free_port()?);
        let issuer = Issuer::open(&checkout.keys())?;
        let (target, mut config) = (Target::local(port), Section::require(checkout, "local")?);
        config.parameters.insert("EmailConfirmationSeconds".to_owned(), confirmation_seconds.to_string());
        config.parameters.insert("PendingOrderMinutes".to_owned(), "1".to_owned());
        let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
        let (emulator, outputs) = step(&format!("Deploying template.yaml as {stack}, to MiniStack on port {port}"), || {
            let options = StartOptions { functions_port: Some(functions_port), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &ministack, &run_folder, port, options)?;
            lock.record(&Running::started_here(port, emulator.group(), false))?;
            let deployment = Deployment { checkout, sam: &sam, target: &target, config: &config, jwks: &issuer.jwks() };
            anyhow::Ok((emulator, deployment.deploy(&staging, &stack, &run_folder)?))
        })?;
        Ok(Self { _lock: lock, _emulator: emulator, port, functions_port, target, outputs, issuer })
    }

    fn run(&self, settings: &Settings) -> anyhow::Result<Report> {
        // Dropping it closes the port for the next run.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let plan = plan(settings.seed, &settings.rates);
        let proxy = runtime.block_on(FaultProxy::open(self.functions_port, emulator, plan)).context("the proxy")?;
        let stack = StackUnderTest {
            proxy: &proxy,
            emulator: &self.target,
            api: output(&self.outputs, "ApiUrl")?,
            outputs: &self.outputs,
            issuer: &self.issuer,
            interrupted,
        };
        let mut run = ChaosRun::prepare(stack, settings.options(), settings.mutation)?;
        let title = format!("A chaos run with {} customers, seed {}", settings.customers, settings.seed);
        step(&title, || run.run())?;
        Ok(step("The faults have stopped: waiting until all work is done", || run.verify())?)
    }
}
