//! `./scripts/dev`: runs the whole stack on this machine, and deploys source changes to it.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use ferrite_application_tools::demo::{self, Demo, DemoError, USER};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::{Endpoint, Target};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{format_duration, report, step};
use ferrite_local_stack::emulator::{
    Emulator, EmulatorKind, InstalledEmulator, StartOptions, clear_run_folder, functions_log, require_free_port,
};
use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::{build, functions};
use ferrite_local_stack::logs;
use ferrite_local_stack::process::{check_interrupted, interrupted, terminate_process};
use ferrite_local_stack::running::{RunLock, RunningStack};
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::{Deployment, output, outputs};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, Tools, install};
use ferrite_token_issuer::issuer::Issuer;

use crate::token::{Bearer, mint};
use crate::watch::{Edit, Sources};

const RUN: &str = "dev";
const DEFAULT_PORT: u16 = 4566;

/// The mode of `./scripts/dev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Start the stack, deploy source changes, and stop everything on Ctrl-C.
    Watch,
    /// Start the stack and exit, and leave the emulator running.
    Detach,
    /// Stop the running emulator.
    Stop,
}

/// Runs `./scripts/dev`. With `reset`, it first deletes the state of the last run.
///
/// # Errors
/// Returns an error if a step fails. A compile error that occurs while watching is only printed.
pub(crate) fn dev(checkout: &Checkout, mode: Mode, reset: bool, kind: EmulatorKind) -> anyhow::Result<()> {
    let Some(lock) = RunLock::acquire(checkout, RUN)? else {
        return if mode == Mode::Stop { stop_other_process(checkout) } else { Err(already_running(checkout)) };
    };
    let run_folder = checkout.run_folder(RUN)?;
    if mode == Mode::Stop || reset {
        let was_running = lock.clear();
        if mode == Mode::Stop {
            report(if was_running { "Stopped the local stack." } else { "No local stack is running." });
        }
    }
    if reset {
        clear_run_folder(&run_folder)?;
    }
    if mode == Mode::Stop {
        return Ok(());
    }
    lock.clear_after_crash();
    if let Some(running) = lock.running() {
        return Err(already_running_at(Endpoint::local(running.port).url()));
    }
    let port = port()?;
    require_free_port(port)?;
    let (session, mut emulator) = Session::start(checkout, run_folder, port, kind, &lock, mode)?;
    if mode == Mode::Detach {
        emulator.detach();
        report("\nThe stack keeps running in the background and does not pick up source changes.");
        report("Stop it with ./scripts/dev --stop");
        return Ok(());
    }
    let result = session.watch(&mut emulator);
    report("\n▸ Stopping the local stack");
    drop(emulator);
    lock.clear();
    result
}

fn already_running(checkout: &Checkout) -> anyhow::Error {
    match RunningStack::find(checkout) {
        Some(running) => already_running_at(Endpoint::local(running.port).url()),
        None => anyhow!("another ./scripts/dev is starting or stopping in this checkout; wait until it has finished"),
    }
}

fn already_running_at(url: &str) -> anyhow::Error {
    anyhow!("the local stack is already running at {url}\nstop it with ./scripts/dev --stop")
}

/// Stops a `./scripts/dev` that runs in another terminal, and waits until it has cleaned up.
fn stop_other_process(checkout: &Checkout) -> anyhow::Result<()> {
    let other = RunningStack::find(checkout).ok_or_else(|| already_running(checkout))?;
    terminate_process(other.owner);
    let deadline = Instant::now() + Duration::from_secs(10);
    while RunLock::acquire(checkout, RUN)?.is_none() {
        check_interrupted()?;
        if Instant::now() > deadline {
            return Err(already_running(checkout));
        }
        thread::sleep(Duration::from_millis(50));
    }
    report("Stopped the local stack.");
    Ok(())
}

fn port() -> anyhow::Result<u16> {
    match std::env::var("FERRITE_PORT") {
        Ok(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => bail!("invalid FERRITE_PORT {text:?}: must be a port number between 1 and 65535"),
        },
        Err(_) => Ok(DEFAULT_PORT),
    }
}

/// The running stack and the tools that update it.
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
        let config = Section::load(checkout, "local")?;
        let staging = Staging::open(&run_folder)?;
        let (sam, installed) = prepare(checkout, &staging, kind)?;
        let emulator = step(&format!("Starting {} on port {port}", kind.name()), || {
            let state = run_folder.join("state");
            let options = StartOptions { state: Some(&state), ..StartOptions::default() };
            let emulator = Emulator::start(checkout, &installed, &run_folder, port, options)?;
            lock.record(&RunningStack::started_here(port, emulator.group(), mode == Mode::Detach))?;
            anyhow::Ok(emulator)
        })?;
        let session = Self {
            checkout,
            run_folder,
            config,
            staging,
            target: Target::local(port),
            sam,
            issuer: Issuer::open(&checkout.keys_folder())?,
        };
        let api = match session.restored_api_url()? {
            Some(api) => api,
            None => session.deploy()?,
        };
        let admin = session.mint(&Bearer::Admin);
        let user = session.mint(&Bearer::User(USER.to_owned()));
        // Only report a failure: the developer may have started the stack to fix the API.
        let demo = step("Loading the demo data", || demo::load(&api, &admin, &user, checkout.root()));
        check_interrupted()?;
        session.print_instructions(&api, &admin, &user, demo)?;
        Ok((session, emulator))
    }

    /// Returns the URL of the API if the emulator has restored the stack from its saved state and nothing has changed
    /// since.
    fn restored_api_url(&self) -> anyhow::Result<Option<String>> {
        let deployed = fs::read_to_string(self.fingerprint_file()).unwrap_or_default();
        if deployed != self.fingerprint()? {
            return Ok(None);
        }
        match outputs(&self.sam, Some(&self.target), &self.config.stack) {
            Ok(outputs) => Ok(Some(output(&outputs, "ApiUrl")?.to_owned())),
            Err(error) if interrupted() => Err(error.into()),
            // The emulator starts empty if it was killed before it could save its state.
            Err(_) => Ok(None),
        }
    }

    /// Returns a text that changes with the template, its parameters, the issuer's keys and the code.
    fn fingerprint(&self) -> anyhow::Result<String> {
        Ok(format!("{:?}\n{}\n{}", self.config, self.issuer.jwks(), self.staging.fingerprint()?))
    }

    /// The file with the fingerprint of the deployed stack.
    fn fingerprint_file(&self) -> PathBuf {
        self.run_folder.join("deployed")
    }

    fn save_fingerprint(&self) -> anyhow::Result<()> {
        let file = self.fingerprint_file();
        Ok(fs::write(&file, self.fingerprint()?).map_err(at(&file))?)
    }

    /// Deploys the staged template and code, and returns the URL of the API.
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
            self.save_fingerprint()?;
            Ok(output(&outputs, "ApiUrl")?.to_owned())
        })
    }

    fn mint(&self, bearer: &Bearer) -> String {
        mint(&self.issuer, bearer)
    }

    /// Prints the API's URL, tokens, and sample requests.
    fn print_instructions(&self, api: &str, admin: &str, user: &str, demo: Result<Demo, DemoError>) -> anyhow::Result<()> {
        // curl reads the headers from files, so that the commands are short and the shell history contains no tokens.
        let header = |name: &str, token: &str| {
            let path = self.run_folder.join(format!("{name}.header"));
            fs::write(&path, format!("authorization: Bearer {token}\n")).map_err(at(&path))?;
            anyhow::Ok(format!("-H @'{}'", path.display()))
        };
        let admin_header = header("admin", admin)?;
        let user_header = header("user", user)?;
        report(&format!("\nAPI URL:     {api}\nAdmin token: {admin}\nUser token:  {user}\n"));
        match demo {
            Ok(demo) => report(&demo.requests(api, &admin_header, &user_header)),
            Err(error) => report(&format!("warning: cannot load the demo data: {:#}", anyhow!(error))),
        }
        Ok(())
    }

    fn watch(&self, emulator: &mut Emulator) -> anyhow::Result<()> {
        let sources = Sources::watch(self.checkout).context("cannot watch the source files")?;
        logs::follow(&functions_log(&self.run_folder), &self.config.stack);
        report("\nWatching functions/, shared/ and template.yaml for changes. Press Ctrl-C to stop the local stack.\n");
        while !interrupted() {
            emulator.check()?;
            let Some(edit) = sources.next(Duration::from_millis(250)) else {
                continue;
            };
            match self.apply(edit) {
                Err(error) if !interrupted() => {
                    report(&format!("error: {error:#}\nThe previously deployed code is still running."));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Builds and deploys what an edit has changed.
    fn apply(&self, edit: Edit) -> anyhow::Result<()> {
        let changed = if edit.code {
            let binaries = build(self.checkout, &functions(self.checkout)?)?;
            self.staging.put(&binaries)?
        } else {
            Vec::new()
        };
        if edit.template {
            self.staging.copy_template(self.checkout)?;
            let api = self.deploy()?;
            report(&format!("deployed the stack: {api}"));
            return Ok(());
        }
        for function in changed {
            let started = Instant::now();
            self.replace_code(&function)?;
            report(&format!("deployed {function} in {}", format_duration(started.elapsed())));
        }
        self.save_fingerprint()
    }

    fn replace_code(&self, function: &str) -> anyhow::Result<()> {
        let archive = self.staging.archive(function)?;
        let name = format!("{}-{function}", self.config.stack);
        match AwsClient::new(self.target.clone()).update_function_code(&name, &archive) {
            Err(error) if error.is_not_found() => {
                report(&format!("warning: {function} is not in the stack; add a resource for it to template.yaml"));
                Ok(())
            }
            result => Ok(result?),
        }
    }
}

/// Installs the tools and builds the functions in parallel: the installation is limited by the network, and the build
/// by the CPU.
fn prepare(checkout: &Checkout, staging: &Staging, kind: EmulatorKind) -> anyhow::Result<(Tools, InstalledEmulator)> {
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
