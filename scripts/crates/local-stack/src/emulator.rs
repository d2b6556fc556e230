//! An emulator that is started for one run and ended with it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ferrite_aws_client::endpoint::{Endpoint, http_client};

use crate::checkout::Checkout;
use crate::files::{FileError, at};
use crate::process::{Group, Interrupted, ProcessError, check_interrupted, quote_end};
use crate::tools::{LOCALSTACK, MINISTACK, ToolError, Tools, install};

/// Why an emulator does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Another program listens on the port.
    #[error("port {0} is in use by another program: set FERRITE_PORT to a free one, as in FERRITE_PORT=4577 ./scripts/dev")]
    PortTaken(u16),
    /// The emulator ended by itself, or never answered.
    #[error("{name} {what}{}", quote_end(log))]
    Failed {
        /// Its name.
        name: &'static str,
        /// What it did.
        what: &'static str,
        /// Its log.
        log: PathBuf,
    },
    /// It could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file of its run could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<Interrupted> for EmulatorError {
    fn from(interrupted: Interrupted) -> Self {
        Self::Process(interrupted.into())
    }
}

/// Which emulator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum EmulatorKind {
    /// The default: it enforces the functions' roles, and keeps its state over a stop.
    #[default]
    Ministack,
    /// Another implementation of AWS, to see whether both agree.
    Localstack,
}

impl EmulatorKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ministack => "MiniStack",
            Self::Localstack => "LocalStack",
        }
    }

    /// The name of its folders and modules in tests/emulators.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Localstack => "localstack",
        }
    }

    /// Installs what it needs.
    ///
    /// # Errors
    /// As [`install`].
    pub fn install(self, checkout: &Checkout) -> Result<Installed, ToolError> {
        let ministack = install(checkout, &MINISTACK)?;
        let localstack = match self {
            Self::Ministack => None,
            Self::Localstack => Some(install(checkout, &LOCALSTACK)?),
        };
        Ok(Installed { ministack, localstack })
    }
}

/// An emulator that can be started.
#[derive(Debug, Clone)]
pub struct Installed {
    /// LocalStack's tables are MiniStack's.
    ministack: Tools,
    localstack: Option<Tools>,
}

impl Installed {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> EmulatorKind {
        if self.localstack.is_some() { EmulatorKind::Localstack } else { EmulatorKind::Ministack }
    }

    /// The environment that it runs in.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        self.localstack.as_ref().unwrap_or(&self.ministack)
    }
}

/// How an emulator is started, beside its port.
#[derive(Debug, Clone, Copy, Default)]
pub struct StartOptions<'a> {
    /// The folder with the state that the last one was stopped with, to go on from there. LocalStack always starts empty.
    pub state: Option<&'a Path>,
    /// The port of this machine where functions call AWS, when it is not the emulator's own. MiniStack alone knows it.
    pub functions_port: Option<u16>,
}

/// A running emulator. Dropping it ends it and every function it runs.
pub struct Emulator {
    group: Group,
    log: PathBuf,
    kind: EmulatorKind,
}

impl Emulator {
    /// Starts an emulator on `port` of this machine and waits until it answers.
    ///
    /// # Errors
    /// When the port is taken, or it ends or does not answer within a minute.
    pub fn start(
        checkout: &Checkout,
        installed: &Installed,
        run_folder: &Path,
        port: u16,
        options: StartOptions<'_>,
    ) -> Result<Self, EmulatorError> {
        require_free(port)?;
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
        let mut emulator = Self { group: Group::start(&mut launcher)?, log, kind };
        emulator.wait_until_ready(port)?;
        Ok(emulator)
    }

    fn wait_until_ready(&mut self, port: u16) -> Result<(), EmulatorError> {
        let path = match self.kind {
            EmulatorKind::Ministack => "/_ministack/ready",
            EmulatorKind::Localstack => "/_localstack/health",
        };
        let url = format!("{}{path}", Endpoint::local(port).url());
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            check_interrupted()?;
            self.check()?;
            if http_client().get(&url).call().is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(self.failed("did not answer within a minute"))
    }

    /// `Err` when the emulator has ended by itself.
    ///
    /// # Errors
    /// As said.
    pub fn check(&mut self) -> Result<(), EmulatorError> {
        match self.group.ended() {
            None => Ok(()),
            Some(_) => {
                check_interrupted()?;
                Err(self.failed("has ended by itself"))
            }
        }
    }

    fn failed(&self, what: &'static str) -> EmulatorError {
        EmulatorError::Failed { name: self.kind.name(), what, log: self.log.clone() }
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
pub fn require_free(port: u16) -> Result<(), EmulatorError> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|_| EmulatorError::PortTaken(port))
}

/// A port that nothing listens on right now.
///
/// # Errors
/// When the system has none to give.
pub fn free_port() -> Result<u16, FileError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(at(Path::new("127.0.0.1")))
}

/// Removes what a run has written, except the lock that its holder keeps.
///
/// # Errors
/// When something cannot be removed.
pub fn clear_run_folder(run_folder: &Path) -> Result<(), FileError> {
    let entries = fs::read_dir(run_folder).map_err(at(run_folder))?;
    for entry in entries.flatten().filter(|entry| entry.file_name() != "lock") {
        let path = entry.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(at(&path))?;
    }
    Ok(())
}
