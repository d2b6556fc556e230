//! `scripts/dev`: the whole system on this machine, and every edit live in it.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ferrite_tests::issuer::Issuer;

use crate::aws::update_function_code;
use crate::build::{build, functions};
use crate::checkout::Checkout;
use crate::console::{say, seconds, step};
use crate::demo::{self, CUSTOMER, Demo};
use crate::emulator::{Emulator, EmulatorKind, Installed, StartOptions, forget, functions_log, require_free};
use crate::endpoint::{Endpoint, Target};
use crate::logs;
use crate::process::{end_process, go_on, interrupted};
use crate::running::{Claim, Running};
use crate::samconfig::Section;
use crate::stack::{Deployment, output, outputs};
use crate::stage::Stage;
use crate::token::{Bearer, mint};
use crate::tools::{DEPLOY_TOOLS, Tools, install};
use crate::trouble::{Trouble, at};
use crate::watch::{Edit, Sources};

const RUN: &str = "dev";
const DEFAULT_PORT: u16 = 4566;

/// What `scripts/dev` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Start, watch, and end everything with Ctrl-C.
    Watch,
    /// Start, and leave the emulator running.
    Detach,
    /// End the emulator that runs.
    Stop,
}

/// Runs `scripts/dev`; with `reset`, from nothing.
///
/// # Errors
/// When a step fails. A compile error after the start is shown and is no failure.
pub fn dev(checkout: &Checkout, mode: Mode, reset: bool, kind: EmulatorKind) -> Result<(), Trouble> {
    let Some(claim) = Claim::take(checkout, RUN)? else {
        return if mode == Mode::Stop { stop_the_other(checkout) } else { Err(already_running(checkout)) };
    };
    let run_folder = checkout.run_folder(RUN)?;
    if mode == Mode::Stop || reset {
        let ended = claim.clear();
        if mode == Mode::Stop {
            say(if ended { "Stopped." } else { "Nothing is running." });
        }
    }
    if reset {
        forget(&run_folder)?;
    }
    if mode == Mode::Stop {
        return Ok(());
    }
    claim.clear_after_crash();
    if let Some(running) = claim.left_behind() {
        return Err(Trouble::AlreadyRunning(Endpoint::local(running.port).url().to_owned()));
    }
    let port = port()?;
    require_free(port)?;
    let (session, mut emulator) = Session::start(checkout, run_folder, port, kind, &claim, mode)?;
    if mode == Mode::Detach {
        emulator.leave_running();
        say("\nIt goes on running; nothing is watched. ./scripts/dev --stop ends it.");
        return Ok(());
    }
    let outcome = session.watch(&mut emulator);
    say("\n▸ Ending everything");
    drop(emulator);
    let _ = claim.clear();
    outcome
}

fn already_running(checkout: &Checkout) -> Trouble {
    Trouble::AlreadyRunning(match Running::find(checkout) {
        Some(running) => Endpoint::local(running.port).url().to_owned(),
        None => "an address that it has not printed yet".to_owned(),
    })
}

/// Ends a `dev` that watches in another terminal, and waits until it has put everything away.
fn stop_the_other(checkout: &Checkout) -> Result<(), Trouble> {
    let other = Running::find(checkout).ok_or_else(|| already_running(checkout))?;
    end_process(other.owner);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Claim::take(checkout, RUN)?.is_none() {
        go_on()?;
        if Instant::now() > deadline {
            return Err(already_running(checkout));
        }
        thread::sleep(Duration::from_millis(50));
    }
    say("Stopped.");
    Ok(())
}

fn port() -> Result<u16, Trouble> {
    match std::env::var("FERRITE_PORT") {
        Ok(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(Trouble::NotAPort(text)),
        },
        Err(_) => Ok(DEFAULT_PORT),
    }
}

/// What is needed to keep the running stack in step with the sources.
struct Session<'a> {
    checkout: &'a Checkout,
    run_folder: PathBuf,
    config: Section,
    stage: Stage,
    target: Target,
    sam: Tools,
}

impl<'a> Session<'a> {
    fn start(
        checkout: &'a Checkout,
        run_folder: PathBuf,
        port: u16,
        kind: EmulatorKind,
        claim: &Claim,
        mode: Mode,
    ) -> Result<(Self, Emulator), Trouble> {
        let config = Section::require(checkout, "local")?;
        let stage = Stage::in_run(&run_folder)?;
        let (sam, installed) = prepare(checkout, &stage, kind)?;
        let emulator = step(&format!("Starting {} on port {port}", kind.name()), || {
            let state = run_folder.join("state");
            let options = StartOptions { state: Some(&state), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &installed, &run_folder, port, options)?;
            claim.note(&Running::started_here(port, emulator.group(), mode == Mode::Detach))?;
            Ok::<_, Trouble>(emulator)
        })?;
        let session = Self { checkout, run_folder, config, stage, target: Target::local(port), sam };
        let api = match session.kept()? {
            Some(api) => api,
            None => session.deploy()?,
        };
        // A shop that cannot be filled is what the developer may be about to repair.
        let demo = step("Loading the demo's products", || demo::load(checkout, &api));
        go_on()?;
        session.greet(&api, demo)?;
        Ok((session, emulator))
    }

    /// The API's URL, when the emulator still has the stack from the last time and nothing has changed since.
    fn kept(&self) -> Result<Option<String>, Trouble> {
        let deployed = std::fs::read_to_string(self.deployed_note()).unwrap_or_default();
        if deployed != self.fingerprint()? {
            return Ok(None);
        }
        match outputs(&self.sam, Some(&self.target), &self.config.stack) {
            Ok(outputs) => Ok(Some(output(&outputs, "ApiUrl")?.to_owned())),
            Err(Trouble::Interrupted) => Err(Trouble::Interrupted),
            // An emulator that was killed starts empty.
            Err(_) => Ok(None),
        }
    }

    /// What the running stack was made of: the template, its parameters and the code.
    fn fingerprint(&self) -> Result<String, Trouble> {
        let jwks = Issuer::open(&self.checkout.keys())?.jwks();
        Ok(format!("{:?}\n{jwks}\n{}", self.config, self.stage.fingerprint()?))
    }

    fn deployed_note(&self) -> PathBuf {
        self.run_folder.join("deployed")
    }

    fn note_deployed(&self) -> Result<(), Trouble> {
        let note = self.deployed_note();
        std::fs::write(&note, self.fingerprint()?).map_err(at(&note))
    }

    /// Deploys the staged template and code; the API's URL.
    fn deploy(&self) -> Result<String, Trouble> {
        let stack = &self.config.stack;
        step(&format!("Deploying template.yaml as {stack}"), || {
            let deployment =
                Deployment { checkout: self.checkout, sam: &self.sam, target: &self.target, config: &self.config };
            let outputs = deployment.deploy(&self.stage, stack, &self.run_folder)?;
            self.note_deployed()?;
            Ok(output(&outputs, "ApiUrl")?.to_owned())
        })
    }

    fn greet(&self, api: &str, demo: Result<Demo, Trouble>) -> Result<(), Trouble> {
        let admin = mint(self.checkout, &Bearer::Admin)?;
        let customer = mint(self.checkout, &Bearer::Customer(CUSTOMER.to_owned()))?;
        // curl reads a header from a file: the lines below stay short, and the tokens out of the shell's history.
        let header = |name: &str, token: &str| {
            let path = self.run_folder.join(format!("{name}.header"));
            std::fs::write(&path, format!("authorization: Bearer {token}\n")).map_err(at(&path))?;
            Ok::<_, Trouble>(format!("-H @'{}'", path.display()))
        };
        let (as_admin, as_customer) = (header("admin", &admin)?, header("customer", &customer)?);
        say(&format!("\nThe API:        {api}\nAdmin token:    {admin}\nCustomer token: {customer}\n"));
        match demo {
            Ok(demo) => say(&demo.requests(api, &as_admin, &as_customer)),
            Err(trouble) => say(&format!("The demo's products could not be loaded: {trouble}")),
        }
        Ok(())
    }

    fn watch(&self, emulator: &mut Emulator) -> Result<(), Trouble> {
        let sources = Sources::watch(self.checkout)?;
        logs::follow(&functions_log(&self.run_folder), &self.config.stack);
        say("\nWatching functions/, shared/ and template.yaml. Ctrl-C ends everything.\n");
        while !interrupted() {
            emulator.check()?;
            let Some(edit) = sources.next(Duration::from_millis(250)) else {
                continue;
            };
            match self.follow(edit) {
                // What is wrong with an edit is said; the stack goes on with what it has.
                Err(trouble) if !interrupted() => say(&format!("{trouble}\nThe old code keeps serving.")),
                _ => {}
            }
        }
        Ok(())
    }

    fn follow(&self, edit: Edit) -> Result<(), Trouble> {
        let changed = if edit.code {
            let binaries = build(self.checkout, &functions(self.checkout)?)?;
            self.stage.put(&binaries)?
        } else {
            Vec::new()
        };
        if edit.template {
            self.stage.copy_template(self.checkout)?;
            let api = self.deploy()?;
            say(&format!("live: {api}"));
            return Ok(());
        }
        for function in changed {
            let started = Instant::now();
            self.replace_code(&function)?;
            say(&format!("live: {function} {}", seconds(started.elapsed())));
        }
        self.note_deployed()
    }

    fn replace_code(&self, function: &str) -> Result<(), Trouble> {
        let archive = self.stage.archive(function)?;
        let name = format!("{}-{function}", self.config.stack);
        match update_function_code(&self.target.endpoint, &self.target.account, &name, &archive) {
            Err(Trouble::Refused { status: 404, .. }) => {
                say(&format!("{function} is not in the stack yet: give it a resource in template.yaml"));
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Installs the tools and builds the functions at the same time: one waits for the network, the other for the CPU.
fn prepare(checkout: &Checkout, stage: &Stage, kind: EmulatorKind) -> Result<(Tools, Installed), Trouble> {
    thread::scope(|scope| {
        let sam = scope.spawn(|| install(checkout, &DEPLOY_TOOLS));
        let emulator = scope.spawn(|| kind.install(checkout));
        let names = functions(checkout)?;
        step(&format!("Building {} functions", names.len()), || {
            stage.put(&build(checkout, &names)?)?;
            stage.copy_template(checkout)
        })?;
        let sam = sam.join().unwrap_or(Err(Trouble::Interrupted))?;
        let emulator = emulator.join().unwrap_or(Err(Trouble::Interrupted))?;
        go_on()?;
        Ok((sam, emulator))
    })
}
