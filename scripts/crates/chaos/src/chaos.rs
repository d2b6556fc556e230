//! `scripts/chaos`: a storm of faults over a stack of its own, and the proof that it came through.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ferrite_chaos::storm::{self, Length, Options, Report, Site, Storm, StormError};
use ferrite_chaos::{Kind, Proxy};
use ferrite_tests::issuer::Issuer;
use serde_json::{Map, Value};
use tokio::runtime::Builder;

pub use ferrite_chaos::storm::Sabotaged;

use crate::build::{Binary, build, functions};
use crate::checkout::Checkout;
use crate::console::{say, step};
use crate::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use crate::endpoint::Target;
use crate::process::interrupted;
use crate::running::{Claim, Running};
use crate::samconfig::Section;
use crate::stack::{Deployment, output};
use crate::stage::Stage;
use crate::tools::{DEPLOY_TOOLS, install};
use crate::trouble::{Trouble, at};

const RUN: &str = "chaos";
/// For how long an unanswered e-mail waits to be confirmed, in seconds: every such mail makes the system that much longer to
/// come to rest.
const CONFIRMATION: u32 = 25;

/// What `scripts/chaos` is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What everything is drawn from.
    pub seed: u64,
    /// How many customers there are at the same time.
    pub customers: usize,
    /// When they stop.
    pub length: Length,
    /// The shares of calls that meet a fault, where they are not to be as usual.
    pub rates: Vec<(Kind, f64)>,
    /// What is taken away from the system beforehand.
    pub sabotage: Option<Sabotaged>,
}

impl Asked {
    fn options(&self) -> Options {
        let Self { seed, customers, length, .. } = *self;
        // What is broken for good does not come to rest; then there is no use in waiting as long.
        let patience = Duration::from_secs(if self.sabotage.is_some() { 20 } else { 600 });
        Options { seed, customers, length, patience }
    }
}

/// Runs `scripts/chaos`: builds the functions unless those of the last run are to be taken, lets the storm rage, and prints
/// what it was and what it found.
///
/// # Errors
/// When there are violations, or a step fails.
pub fn chaos(checkout: &Checkout, asked: &Asked, no_build: bool) -> Result<(), Trouble> {
    let binaries = built(checkout, no_build)?;
    let report = Ground::prepare(checkout, &binaries, CONFIRMATION)?.storm(asked)?;
    say(&format!("\n{report}"));
    if report.count() == 0 {
        return Ok(());
    }
    say(&format!("What the functions logged: {}", functions_log(&checkout.run_folder(RUN)?).display()));
    Err(Trouble::TestsFailed)
}

/// Runs `scripts/chaos --short`: the storms of `scripts/test`, as [`prove`] does.
///
/// # Errors
/// When a storm does not show what it must, or a step fails.
pub fn short(checkout: &Checkout, no_build: bool) -> Result<(), Trouble> {
    let mut failed = false;
    for (name, report) in prove(checkout, &built(checkout, no_build)?)? {
        failed |= report.is_some();
        match report {
            None => say(&format!("shown: {name}")),
            Some(report) => say(&format!("NOT shown: {name}\n{report}")),
        }
    }
    if failed { Err(Trouble::TestsFailed) } else { Ok(()) }
}

fn built(checkout: &Checkout, no_build: bool) -> Result<Vec<Binary>, Trouble> {
    match no_build {
        true => Ok(Vec::new()),
        false => step("Building the functions", || build(checkout, &functions(checkout)?)),
    }
}

/// What a storm of `scripts/test` must show, and its report where it does not.
pub type Proof = (&'static str, Option<Report>);

/// The storms of `scripts/test`: one that must find nothing, and one for each sabotage, which must find it.
///
/// # Errors
/// When a storm cannot be carried through.
pub fn prove(checkout: &Checkout, binaries: &[Binary]) -> Result<Vec<Proof>, Trouble> {
    let ground = Ground::prepare(checkout, binaries, CONFIRMATION)?;
    let short = Asked { seed: 1, customers: 12, length: Length::Orders(100), rates: Vec::new(), sabotage: None };
    let whole = ground.storm(&short)?;
    let mut proofs = vec![("a storm breaks no promise", Some(whole).filter(|report| report.count() > 0))];
    // Without kills, as what was under way then comes again only much later; and most repeats come of lost answers.
    let rates = vec![(Kind::KillBefore, 0.0), (Kind::KillAfter, 0.0), (Kind::CutAfter, 0.2)];
    let sabotaged = Asked { length: Length::Orders(48), rates, ..short };
    for (name, sabotage, promises) in [
        ("a transaction split in two is found", Sabotaged::Transaction, ["initial stock", "every order accepted"]),
        ("a dedupe taken out is found", Sabotaged::Dedupe, ["charged twice", "e-mail"]),
    ] {
        let report = ground.storm(&Asked { sabotage: Some(sabotage), ..sabotaged.clone() })?;
        proofs.push((name, Some(report).filter(|report| !promises.iter().all(|promise| report.breaks(promise)))));
    }
    Ok(proofs)
}

/// An emulator of its own with a deployed stack, whose functions find AWS only while a storm is on.
struct Ground {
    _emulator: Emulator,
    _claim: Claim,
    port: u16,
    functions_port: u16,
    target: Target,
    outputs: Map<String, Value>,
    issuer: Issuer,
}

impl Ground {
    /// Deploys to a new emulator, with e-mails confirmed within `confirmation` seconds.
    fn prepare(checkout: &Checkout, binaries: &[Binary], confirmation: u32) -> Result<Self, Trouble> {
        let claim = Claim::take(checkout, RUN)?.ok_or(Trouble::StormRages)?;
        let _ = claim.clear();
        let run_folder = checkout.run_folder(RUN)?;
        let stage = Stage::in_run(&run_folder)?;
        stage.put(binaries)?;
        stage.copy_template(checkout)?;
        let (sam, ministack) = (install(checkout, &DEPLOY_TOOLS)?, EmulatorKind::Ministack.install(checkout)?);
        let (port, functions_port) = (free_port()?, free_port()?);
        let (target, mut config) = (Target::local(port), Section::require(checkout, "local")?);
        config.parameters.insert("EmailConfirmationSeconds".to_owned(), confirmation.to_string());
        config.parameters.insert("PendingOrderMinutes".to_owned(), "1".to_owned());
        let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
        let (emulator, outputs) = step(&format!("Deploying template.yaml as {stack}, to MiniStack on port {port}"), || {
            let options = StartOptions { functions_port: Some(functions_port), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &ministack, &run_folder, port, options)?;
            claim.note(&Running::started_here(port, emulator.group(), false))?;
            let deployment = Deployment { checkout, sam: &sam, target: &target, config: &config };
            Ok::<_, Trouble>((emulator, deployment.deploy(&stage, &stack, &run_folder)?))
        })?;
        let issuer = Issuer::open(&checkout.keys())?;
        Ok(Self { _claim: claim, _emulator: emulator, port, functions_port, target, outputs, issuer })
    }

    fn storm(&self, asked: &Asked) -> Result<Report, Trouble> {
        let proxy = Path::new("the proxy's port");
        // Its end closes the port for the next storm's.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(at(proxy))?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let plan = storm::plan(asked.seed, &asked.rates);
        let proxy = runtime.block_on(Proxy::open(self.functions_port, emulator, plan)).map_err(at(proxy))?;
        let site = Site {
            proxy: &proxy,
            emulator: self.target.endpoint.url(),
            api: output(&self.outputs, "ApiUrl")?,
            outputs: &self.outputs,
            issuer: &self.issuer,
            interrupted,
        };
        let mut storm = Storm::prepare(site, asked.options(), asked.sabotage).map_err(broken_off)?;
        let title = format!("A storm of {} customers, seed {}", asked.customers, asked.seed);
        step(&title, || storm.rage().map_err(broken_off))?;
        step("The faults have stopped: waiting until all is at rest", || storm.verify().map_err(broken_off))
    }
}

fn broken_off(error: StormError) -> Trouble {
    if interrupted() || matches!(error, StormError::Interrupted) { Trouble::Interrupted } else { error.into() }
}
