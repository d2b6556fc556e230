//! `./scripts/dev`: starts, attaches to and stops the stack on this machine.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use ferrite_aws_client::endpoint::Endpoint;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, clear_run_folder, require_free_port};
use ferrite_local_stack::process::{check_interrupted, terminate_process};
use ferrite_local_stack::running::{RunLock, RunningStack};

use crate::session::{Prepared, Session};

const RUN: &str = "dev";
const DEFAULT_PORT: u16 = 4566;

/// How long `--stop` waits for another `./scripts/dev` to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Runs `./scripts/dev`. With `reset`, it first deletes the state of the last run. `kind` is the emulator that the options
/// name.
///
/// # Errors
/// Returns an error if a step fails. A compile error that occurs while watching is only printed.
pub(crate) fn dev(checkout: &Checkout, mode: Mode, reset: bool, kind: Option<EmulatorKind>) -> anyhow::Result<()> {
    if mode == Mode::Stop {
        return stop(checkout, reset);
    }
    let Some(lock) = RunLock::acquire(checkout, RUN)? else { return Err(already_running(checkout)) };
    let run_folder = checkout.run_folder(RUN)?;
    if reset {
        lock.clear();
        clear_run_folder(&run_folder)?;
    }
    lock.clear_after_crash();
    if let Some(running) = lock.running() {
        return attach(checkout, mode, kind, &lock, running);
    }
    let port = port()?;
    require_free_port(port)?;
    let kind = kind.unwrap_or_default();
    let (prepared, installed) = Prepared::new(checkout, &run_folder, kind)?;
    let mut emulator = step(&format!("Starting {} on port {port}", kind.name()), || {
        let state = run_folder.join("state");
        let options = StartOptions { state: Some(&state), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &installed, &run_folder, port, options)?;
        lock.record(&RunningStack::started_here(port, emulator.group(), mode == Mode::Detach))?;
        anyhow::Ok(emulator)
    })?;
    let session = Session::start(checkout, run_folder, port, prepared)?;
    if mode == Mode::Detach {
        emulator.detach();
        report_detached();
        return Ok(());
    }
    let result = session.watch(&mut emulator);
    report("\n▸ Stopping the local stack");
    drop(emulator);
    lock.clear();
    result
}

/// Updates a detached stack. In watch mode, it deploys every further edit until Ctrl-C, which leaves the stack running.
fn attach(
    checkout: &Checkout,
    mode: Mode,
    kind: Option<EmulatorKind>,
    lock: &RunLock,
    running: RunningStack,
) -> anyhow::Result<()> {
    let url = Endpoint::local(running.port).url().to_owned();
    let run_folder = checkout.run_folder(RUN)?;
    // From now on, --stop must terminate this process.
    lock.record(&RunningStack::started_here(running.port, running.group, true))?;
    let Some(mut emulator) = Emulator::attach(&running, &run_folder) else {
        bail!("the detached stack at {url} does not respond; stop it with ./scripts/dev --stop");
    };
    if let Some(other) = kind.filter(|kind| *kind != emulator.kind()) {
        let name = emulator.kind().name();
        bail!(
            "the detached stack at {url} runs on {name}, not {}; stop it with ./scripts/dev --stop, or omit --emulator",
            other.name()
        );
    }
    report(&format!("▸ Attaching to the detached stack at {url}"));
    let (prepared, _) = Prepared::new(checkout, &run_folder, emulator.kind())?;
    let session = Session::start(checkout, run_folder, running.port, prepared)?;
    let result = if mode == Mode::Watch { session.watch(&mut emulator) } else { Ok(()) };
    report_detached();
    result
}

fn report_detached() {
    report("\nThe stack keeps running in the background and does not pick up source changes.");
    report("Run ./scripts/dev to deploy changes again, or stop it with ./scripts/dev --stop");
}

fn already_running(checkout: &Checkout) -> anyhow::Error {
    match RunningStack::find(checkout) {
        Some(running) => {
            let url = Endpoint::local(running.port).url().to_owned();
            anyhow!("the local stack is already running at {url}\nstop it with ./scripts/dev --stop")
        }
        None => starting_or_stopping(),
    }
}

fn starting_or_stopping() -> anyhow::Error {
    anyhow!("another ./scripts/dev is starting or stopping in this checkout; wait until it has finished")
}

/// Stops the local stack, also if a `./scripts/dev` in another terminal runs it or is attached to it.
fn stop(checkout: &Checkout, reset: bool) -> anyhow::Result<()> {
    let mut was_running = false;
    let lock = match RunLock::acquire(checkout, RUN)? {
        Some(lock) => lock,
        None => {
            was_running = true;
            stop_other_process(checkout)?
        }
    };
    // The stack is still running if it was detached.
    was_running |= lock.clear();
    if reset {
        clear_run_folder(&checkout.run_folder(RUN)?)?;
    }
    report(if was_running { "Stopped the local stack." } else { "No local stack is running." });
    Ok(())
}

/// Terminates the `./scripts/dev` that holds the lock, and waits until it has cleaned up.
fn stop_other_process(checkout: &Checkout) -> anyhow::Result<RunLock> {
    let other = RunningStack::find(checkout).filter(RunningStack::owner_is_running).ok_or_else(starting_or_stopping)?;
    terminate_process(other.owner);
    let deadline = Instant::now() + STOP_TIMEOUT;
    loop {
        if let Some(lock) = RunLock::acquire(checkout, RUN)? {
            return Ok(lock);
        }
        check_interrupted()?;
        if Instant::now() > deadline {
            bail!(still_stopping(other.owner));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn still_stopping(process: i32) -> String {
    format!(
        "the other ./scripts/dev (process {process}) received the signal to stop, but is still running after {} s; wait, or \
         end it with kill -KILL {process}, and run ./scripts/dev --stop again to stop the emulator",
        STOP_TIMEOUT.as_secs()
    )
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
