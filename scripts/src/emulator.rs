//! MiniStack, started for one run and ended with it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::checkout::Checkout;
use crate::endpoint::{Endpoint, http_client};
use crate::process::{Group, go_on};
use crate::tools::Tools;
use crate::trouble::{Trouble, at};

/// A running MiniStack. Dropping it ends it and every function it runs.
pub struct Emulator {
    group: Group,
    log: PathBuf,
}

impl Emulator {
    /// Starts MiniStack on `port` of this machine and waits until it answers. With `state`, a folder, it goes on where
    /// the last one with that folder was stopped.
    ///
    /// # Errors
    /// When the port is taken, or MiniStack ends or does not answer within 30 seconds.
    pub fn start(
        checkout: &Checkout,
        tools: &Tools,
        run_folder: &Path,
        port: u16,
        state: Option<&Path>,
    ) -> Result<Self, Trouble> {
        Self::launch(checkout, tools, run_folder, port, |launcher| {
            launcher.args(state.into_iter().flat_map(|state| [Path::new("--state-dir"), state]));
        })
    }

    /// Starts MiniStack as [`Emulator::start`] does, with functions that call AWS on `functions_port` of this machine.
    ///
    /// # Errors
    /// As there.
    pub fn start_behind(
        checkout: &Checkout,
        tools: &Tools,
        run_folder: &Path,
        port: u16,
        functions_port: u16,
    ) -> Result<Self, Trouble> {
        Self::launch(checkout, tools, run_folder, port, |launcher| {
            launcher.args(["--functions-port", &functions_port.to_string()]);
        })
    }

    fn launch(
        checkout: &Checkout,
        tools: &Tools,
        run_folder: &Path,
        port: u16,
        options: impl FnOnce(&mut Command),
    ) -> Result<Self, Trouble> {
        require_free(port)?;
        let functions_log = functions_log(run_folder);
        File::create(&functions_log).map_err(at(&functions_log))?;
        let log = run_folder.join("emulator.log");
        let output = File::create(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let mut launcher = tools.command("python");
        launcher
            .args(["-m", "ferrite_emulators.ministack", "--port", &port.to_string()])
            .arg("--functions-log")
            .arg(functions_log)
            .env("PYTHONPATH", checkout.path("tests/emulators"))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        options(&mut launcher);
        let mut emulator = Self { group: Group::start(&mut launcher)?, log };
        emulator.wait_until_ready(port)?;
        Ok(emulator)
    }

    fn wait_until_ready(&mut self, port: u16) -> Result<(), Trouble> {
        let url = format!("{}/_ministack/ready", Endpoint::local(port).url());
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            go_on()?;
            self.check()?;
            if http_client().get(&url).call().is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(self.trouble("did not answer within 30 s"))
    }

    /// `Err` when the emulator has ended by itself.
    ///
    /// # Errors
    /// As said.
    pub fn check(&mut self) -> Result<(), Trouble> {
        match self.group.ended() {
            None => Ok(()),
            Some(_) => {
                go_on()?;
                Err(self.trouble("has ended by itself"))
            }
        }
    }

    fn trouble(&self, what: &'static str) -> Trouble {
        Trouble::Emulator { what, log: self.log.clone() }
    }

    /// Its process group.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.group.id()
    }

    /// Lets it outlive this program.
    pub fn leave_running(self) {
        self.group.leave_running();
    }
}

/// The file with what the functions of a run print, as the launcher writes it: a JSON object a line.
#[must_use]
pub fn functions_log(run_folder: &Path) -> PathBuf {
    run_folder.join("functions.log")
}

/// `Err` when something listens on the port.
///
/// # Errors
/// As said.
pub fn require_free(port: u16) -> Result<(), Trouble> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|_| Trouble::PortTaken(port))
}

/// A port that nothing listens on right now.
///
/// # Errors
/// When the system has none to give.
pub fn free_port() -> Result<u16, Trouble> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(at(Path::new("127.0.0.1")))
}

/// Removes what a run has written, but for the lock that its holder keeps.
///
/// # Errors
/// When something cannot be removed.
pub fn forget(run_folder: &Path) -> Result<(), Trouble> {
    let entries = fs::read_dir(run_folder).map_err(at(run_folder))?;
    for entry in entries.flatten().filter(|entry| entry.file_name() != "lock") {
        let path = entry.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(at(&path))?;
    }
    Ok(())
}
