//! `./scripts/dev`: runs the whole system on this machine, and deploys every edit to it.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::{Endpoint, Target};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, seconds, step};
use ferrite_local_stack::emulator::{
    Emulator, EmulatorKind, Installed, StartOptions, clear_run_folder, functions_log, require_free,
};
use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::{build, functions};
use ferrite_local_stack::logs;
use ferrite_local_stack::process::{check_interrupted, end_process, interrupted};
use ferrite_local_stack::running::{RunLock, Running};
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::{Deployment, output, outputs};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, Tools, install};
use ferrite_storefront_tools::demo::{self, CUSTOMER, Demo, DemoError};
use ferrite_token_issuer::issuer::Issuer;

use crate::token::{Bearer, mint};
use crate::watch::{Edit, Sources};

const RUN: &str = "dev";
const DEFAULT_PORT: u16 = 4566;

/// The mode of `./scripts/dev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Start, watch, and end everything with Ctrl-C.
    Watch,
    /// Start, and leave the emulator running.
    Detach,
    /// End the emulator that runs.
    Stop,
}

/// Runs `./scripts/dev`. With `reset`, it starts from nothing.
///
/// # Errors
/// When a step fails. A compile error after the start is shown and is no failure.
pub(crate) fn dev(checkout: &Checkout, mode: Mode, reset: bool, kind: EmulatorKind) -> anyhow::Result<()> {
    let Some(lock) = RunLock::acquire(checkout, RUN)? else {
        return if mode == Mode::Stop { stop_the_other(checkout) } else { Err(already_running(checkout)) };
    };
    let run_folder = checkout.run_folder(RUN)?;
    if mode == Mode::Stop || reset {
        let ended = lock.clear();
        if mode == Mode::Stop {
            report(if ended { "Stopped." } else { "Nothing is running." });
        }
    }
    if reset {
        clear_run_folder(&run_folder)?;
    }
    if mode == Mode::Stop {
        return Ok(());
    }
    lock.clear_after_crash();
    if let Some(running) = lock.left_behind() {
        return Err(already_running_at(Endpoint::local(running.port).url()));
    }
    let port = port()?;
    require_free(port)?;
    let (session, mut emulator) = Session::start(checkout, run_folder, port, kind, &lock, mode)?;
    if mode == Mode::Detach {
        emulator.leave_running();
        report("\nIt keeps running, but nothing is watched. ./scripts/dev --stop ends it.");
        return Ok(());
    }
    let outcome = session.watch(&mut emulator);
    report("\n▸ Ending everything");
    drop(emulator);
    lock.clear();
    outcome
}

fn already_running(checkout: &Checkout) -> anyhow::Error {
    match Running::find(checkout) {
        Some(running) => already_running_at(Endpoint::local(running.port).url()),
        None => already_running_at("an address that it has not printed yet"),
    }
}

fn already_running_at(url: &str) -> anyhow::Error {
    anyhow!("already running at {url}\n./scripts/dev --stop ends it")
}

/// Ends a `dev` that watches in another terminal, and waits until it has cleaned up.
fn stop_the_other(checkout: &Checkout) -> anyhow::Result<()> {
    let other = Running::find(checkout).ok_or_else(|| already_running(checkout))?;
    end_process(other.owner);
    let deadline = Instant::now() + Duration::from_secs(10);
    while RunLock::acquire(checkout, RUN)?.is_none() {
        check_interrupted()?;
        if Instant::now() > deadline {
            return Err(already_running(checkout));
        }
        thread::sleep(Duration::from_millis(50));
    }
    report("Stopped.");
    Ok(())
}

fn port() -> anyhow::Result<u16> {
    match std::env::var("FERRITE_PORT") {
        Ok(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => bail!("FERRITE_PORT={text} is not a port number (1 to 65535)"),
        },
        Err(_) => Ok(DEFAULT_PORT),
    }
}

/// The running stack, and what it takes to update it.
struct Session<'a> {
    checkout: &'a Checkout,
    run_folder: PathBuf,
    config: Section,
    staging: Staging,
    target: Target,
    sam: Tools,
    issuer: Issuer,
}

impl<'a> Session<'a> {
    fn start(
        checkout: &'a Checkout,
        run_folder: PathBuf,
        port: u16,
        kind: EmulatorKind,
        lock: &RunLock,
        mode: Mode,
    ) -> anyhow::Result<(Self, Emulator)> {
        let config = Section::require(checkout, "local")?;
        let staging = Staging::in_run(&run_folder)?;
        let (sam, installed) = prepare(checkout, &staging, kind)?;
        let emulator = step(&format!("Starting {} on port {port}", kind.name()), || {
            let state = run_folder.join("state");
            let options = StartOptions { state: Some(&state), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &installed, &run_folder, port, options)?;
            lock.record(&Running::started_here(port, emulator.group(), mode == Mode::Detach))?;
            anyhow::Ok(emulator)
        })?;
        let session = Self {
            checkout,
            run_folder,
            config,
            staging,
            target: Target::local(port),
            sam,
            issuer: Issuer::open(&checkout.keys())?,
        };
        let api = match session.kept()? {
            Some(api) => api,
            None => session.deploy()?,
        };
        let (admin, customer) = (session.mint(&Bearer::Admin), session.mint(&Bearer::Customer(CUSTOMER.to_owned())));
        // A failure is reported and no more: the developer may be about to repair the API.
        let photos = checkout.path("tests/photos");
        let demo = step("Loading the demo's products", || demo::load(&api, &admin, &customer, &photos));
        check_interrupted()?;
        session.greet(&api, &admin, &customer, demo)?;
        Ok((session, emulator))
    }

    /// The API's URL, when the emulator still has the stack from the last time and nothing has changed since.
    fn kept(&self) -> anyhow::Result<Option<String>> {
        let deployed = fs::read_to_string(self.deployed_note()).unwrap_or_default();
        if deployed != self.fingerprint()? {
            return Ok(None);
        }
        match outputs(&self.sam, Some(&self.target), &self.config.stack) {
            Ok(outputs) => Ok(Some(output(&outputs, "ApiUrl")?.to_owned())),
            Err(error) if interrupted() => Err(error.into()),
            // An emulator that was killed starts empty.
            Err(_) => Ok(None),
        }
    }

    /// What the running stack was made of: the template, its parameters and the code.
    fn fingerprint(&self) -> anyhow::Result<String> {
        Ok(format!("{:?}\n{}\n{}", self.config, self.issuer.jwks(), self.staging.fingerprint()?))
    }

    fn deployed_note(&self) -> PathBuf {
        self.run_folder.join("deployed")
    }

    fn note_deployed(&self) -> anyhow::Result<()> {
        let note = self.deployed_note();
        Ok(fs::write(&note, self.fingerprint()?).map_err(at(&note))?)
    }

    /// Deploys the staged template and code, and returns the API's URL.
    fn deploy(&self) -> anyhow::Result<String> {
        let stack = &self.config.stack;
        step(&format!("Deploying template.yaml as {stack}"), || {
            let deployment = Deployment {
                checkout: self.checkout,
                sam: &self.sam,
                target: &self.target,
                config: &self.config,
                jwks: &self.issuer.jwks(),
            };
            let outputs = deployment.deploy(&self.staging, stack, &self.run_folder)?;
            self.note_deployed()?;
            Ok(output(&outputs, "ApiUrl")?.to_owned())
        })
    }

    fn mint(&self, bearer: &Bearer) -> String {
        mint(&self.issuer, bearer)
    }

    fn greet(&self, api: &str, admin: &str, customer: &str, demo: Result<Demo, DemoError>) -> anyhow::Result<()> {
        // curl reads the headers from files, so that the lines stay short and the tokens out of the shell's history.
        let header = |name: &str, token: &str| {
            let path = self.run_folder.join(format!("{name}.header"));
            fs::write(&path, format!("authorization: Bearer {token}\n")).map_err(at(&path))?;
            anyhow::Ok(format!("-H @'{}'", path.display()))
        };
        let (as_admin, as_customer) = (header("admin", admin)?, header("customer", customer)?);
        report(&format!("\nThe API:        {api}\nAdmin token:    {admin}\nCustomer token: {customer}\n"));
        match demo {
            Ok(demo) => report(&demo.requests(api, &as_admin, &as_customer)),
            Err(error) => report(&format!("The demo's products could not be loaded: {:#}", anyhow!(error))),
        }
        Ok(())
    }

    fn watch(&self, emulator: &mut Emulator) -> anyhow::Result<()> {
        let sources = Sources::watch(self.checkout).context("cannot watch the sources")?;
        logs::follow(&functions_log(&self.run_folder), &self.config.stack);
        report("\nWatching functions/, shared/ and template.yaml. Ctrl-C ends everything.\n");
        while !interrupted() {
            emulator.check()?;
            let Some(edit) = sources.next(Duration::from_millis(250)) else {
                continue;
            };
            match self.follow(edit) {
                Err(error) if !interrupted() => report(&format!("{error:#}\nThe old code keeps serving.")),
                _ => {}
            }
        }
        Ok(())
    }

    fn follow(&self, edit: Edit) -> anyhow::Result<()> {
        let changed = if edit.code {
            let binaries = build(self.checkout, &functions(self.checkout)?)?;
            self.staging.put(&binaries)?
        } else {
            Vec::new()
        };
        if edit.template {
            self.staging.copy_template(self.checkout)?;
            let api = self.deploy()?;
            report(&format!("live: {api}"));
            return Ok(());
        }
        for function in changed {
            let started = Instant::now();
            self.replace_code(&function)?;
            report(&format!("live: {function} {}", seconds(started.elapsed())));
        }
        self.note_deployed()
    }

    fn replace_code(&self, function: &str) -> anyhow::Result<()> {
        let archive = self.staging.archive(function)?;
        let name = format!("{}-{function}", self.config.stack);
        match AwsClient::new(self.target.clone()).update_function_code(&name, &archive) {
            Err(error) if error.is_not_found() => {
                report(&format!("{function} is not in the stack yet: give it a resource in template.yaml"));
                Ok(())
            }
            outcome => Ok(outcome?),
        }
    }
}

/// Installs the tools and builds the functions at the same time, because one waits for the network and the other for the CPU.
fn prepare(checkout: &Checkout, staging: &Staging, kind: EmulatorKind) -> anyhow::Result<(Tools, Installed)> {
    thread::scope(|scope| {
        let sam = scope.spawn(|| install(checkout, &DEPLOY_TOOLS));
        let emulator = scope.spawn(|| kind.install(checkout));
        let names = functions(checkout)?;
        step(&format!("Building {} functions", names.len()), || {
            staging.put(&build(checkout, &names)?)?;
            staging.copy_template(checkout)?;
            anyhow::Ok(())
        })?;
        let sam = sam.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        let emulator = emulator.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        check_interrupted()?;
        Ok((sam, emulator))
    })
}
