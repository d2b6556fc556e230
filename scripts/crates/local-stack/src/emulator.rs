//! Starts and stops an AWS emulator for one run.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ferrite_aws_client::endpoint::{Endpoint, http_client};

use crate::checkout::Checkout;
use crate::files::{FileError, at};
use crate::process::{Group, Interrupted, ProcessError, check_interrupted, is_group_running, log_tail};
use crate::running::RunningStack;
use crate::tools::{LOCALSTACK, MINISTACK, ToolError, Tools, install};

/// Error returned when an emulator cannot be started or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Another program listens on the port.
    #[error("port {0} is already in use; set FERRITE_PORT to another one, for example FERRITE_PORT=4577 ./scripts/dev")]
    PortInUse(u16),
    /// The emulator exited, or did not become ready in time.
    #[error("{name} {reason}{}", log_tail(log))]
    Failed {
        /// Name of the emulator.
        name: &'static str,
        /// What happened, as the predicate of a sentence.
        reason: &'static str,
        /// Log of the emulator.
        log: PathBuf,
    },
    /// The process could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file in the run's folder could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<Interrupted> for EmulatorError {
    fn from(interrupted: Interrupted) -> Self {
        Self::Process(interrupted.into())
    }
}

/// An AWS emulator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum EmulatorKind {
    /// MiniStack enforces the functions' IAM roles and keeps its state when it is stopped
    #[default]
    Ministack,
    /// LocalStack is a second implementation, to check that both behave the same
    Localstack,
}

impl EmulatorKind {
    /// Display name of the emulator.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ministack => "MiniStack",
            Self::Localstack => "LocalStack",
        }
    }

    fn is_ready(self, port: u16) -> bool {
        let path = match self {
            Self::Ministack => "/_ministack/ready",
            Self::Localstack => "/_localstack/health",
        };
        let url = format!("{}{path}", Endpoint::local(port).url());
        http_client().get(&url).call().is_ok_and(|response| response.status() == 200)
    }

    /// Name of the emulator's Python module in tests/emulators.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Localstack => "localstack",
        }
    }

    /// Installs the tool sets that the emulator needs.
    ///
    /// # Errors
    /// Returns the errors of [`install`].
    pub fn install(self, checkout: &Checkout) -> Result<InstalledEmulator, ToolError> {
        let ministack = install(checkout, &MINISTACK)?;
        let localstack = match self {
            Self::Ministack => None,
            Self::Localstack => Some(install(checkout, &LOCALSTACK)?),
        };
        Ok(InstalledEmulator { ministack, localstack })
    }
}

/// An installed emulator.
#[derive(Debug, Clone)]
pub struct InstalledEmulator {
    /// Always installed, because LocalStack uses MiniStack's implementation of DynamoDB.
    ministack: Tools,
    localstack: Option<Tools>,
}

impl InstalledEmulator {
    /// Which emulator it is.
    #[must_use]
    pub fn kind(&self) -> EmulatorKind {
        if self.localstack.is_some() { EmulatorKind::Localstack } else { EmulatorKind::Ministack }
    }

    /// The tool set that the emulator runs in.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        self.localstack.as_ref().unwrap_or(&self.ministack)
    }
}

/// Options for starting an emulator, in addition to its port.
#[derive(Debug, Clone, Copy, Default)]
pub struct StartOptions<'a> {
    /// Folder from which the emulator loads its state and to which it saves it when it stops. LocalStack ignores it and
    /// always starts empty.
    pub state: Option<&'a Path>,
    /// Local port to which functions send their AWS calls, if it is not the emulator's own port. Only MiniStack
    /// supports it.
    pub functions_port: Option<u16>,
}

/// A running emulator. Dropping it stops the emulator and the functions that run in it, if this program has started it.
pub struct Emulator {
    process: Process,
    log: PathBuf,
    kind: EmulatorKind,
}

enum Process {
    /// This program has started the emulator.
    Started(Group),
    /// Another program has started the emulator with this process group ID, and detached it.
    Detached(i32),
}

impl Emulator {
    /// Starts an emulator on `port` of this machine and waits until it is ready.
    ///
    /// # Errors
    /// Returns an error if the port is in use, or if the emulator exits or is not ready within a minute.
    pub fn start(
        checkout: &Checkout,
        installed: &InstalledEmulator,
        run_folder: &Path,
        port: u16,
        options: StartOptions<'_>,
    ) -> Result<Self, EmulatorError> {
        require_free_port(port)?;
        let kind = installed.kind();
        let functions_log = functions_log(run_folder);
        File::create(&functions_log).map_err(at(&functions_log))?;
        let log = run_folder.join("emulator.log");
        let output = File::create(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let module = format!("ferrite_emulators.{}", kind.folder());
        let mut launcher = installed.tools().command("python");
        launcher
            .args(["-m", &module, "--port", &port.to_string()])
            .arg("--functions-log")
            .arg(functions_log)
            .env("PYTHONPATH", checkout.path("tests/emulators"))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        match kind {
            EmulatorKind::Ministack => {
                launcher.args(options.state.into_iter().flat_map(|state| [Path::new("--state-dir"), state]));
                launcher.args(
                    options.functions_port.into_iter().flat_map(|port| ["--functions-port".to_owned(), port.to_string()]),
                );
            }
            EmulatorKind::Localstack => {
                launcher.arg("--ministack-python").arg(installed.ministack.path("python"));
            }
        }
        let mut emulator = Self { process: Process::Started(Group::start(&mut launcher)?), log, kind };
        emulator.wait_until_ready(port)?;
        Ok(emulator)
    }

    /// Returns an emulator that another program has started and detached. Returns `None` if it does not respond.
    #[must_use]
    pub fn attach(running: &RunningStack, run_folder: &Path) -> Option<Self> {
        let kind =
            [EmulatorKind::Ministack, EmulatorKind::Localstack].into_iter().find(|kind| kind.is_ready(running.port))?;
        Some(Self { process: Process::Detached(running.group), log: run_folder.join("emulator.log"), kind })
    }

    fn wait_until_ready(&mut self, port: u16) -> Result<(), EmulatorError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            check_interrupted()?;
            self.check()?;
            if self.kind.is_ready(port) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(self.failed("was not ready within a minute"))
    }

    /// Checks that the emulator is running.
    ///
    /// # Errors
    /// Returns an error if the emulator has exited.
    pub fn check(&mut self) -> Result<(), EmulatorError> {
        let is_running = match &mut self.process {
            Process::Started(group) => group.exit_status().is_none(),
            Process::Detached(group) => is_group_running(*group),
        };
        if is_running {
            return Ok(());
        }
        check_interrupted()?;
        Err(self.failed("exited unexpectedly"))
    }

    /// Which emulator it is.
    #[must_use]
    pub fn kind(&self) -> EmulatorKind {
        self.kind
    }

    fn failed(&self, reason: &'static str) -> EmulatorError {
        EmulatorError::Failed { name: self.kind.name(), reason, log: self.log.clone() }
    }

    /// Process group ID of the emulator.
    #[must_use]
    pub fn group(&self) -> i32 {
        match &self.process {
            Process::Started(group) => group.id(),
            Process::Detached(group) => *group,
        }
    }

    /// Lets the emulator continue to run after this program exits.
    pub fn detach(self) {
        match self.process {
            Process::Started(group) => group.detach(),
            Process::Detached(_) => {}
        }
    }
}

/// Returns the path of the file to which the emulator writes the output of the functions, as one JSON object per line.
#[must_use]
pub fn functions_log(run_folder: &Path) -> PathBuf {
    run_folder.join("functions.log")
}

/// Checks that no program listens on `port`.
///
/// # Errors
/// Returns an error if the port is in use.
pub fn require_free_port(port: u16) -> Result<(), EmulatorError> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|_| EmulatorError::PortInUse(port))
}

/// Returns a port that is currently free.
///
/// # Errors
/// Returns an error if the operating system has no free port.
pub fn free_port() -> Result<u16, FileError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(at(Path::new("127.0.0.1")))
}

/// Deletes everything in a run's folder except the lock file.
///
/// # Errors
/// Returns an error if a file or folder cannot be deleted.
pub fn clear_run_folder(run_folder: &Path) -> Result<(), FileError> {
    let entries = fs::read_dir(run_folder).map_err(at(run_folder))?;
    for entry in entries.flatten().filter(|entry| entry.file_name() != "lock") {
        let path = entry.path();
        let result = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        result.map_err(at(&path))?;
    }
    Ok(())
}
