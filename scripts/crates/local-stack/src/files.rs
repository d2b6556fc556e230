//! What can go wrong in a chore, said so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why a chore stopped.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Ctrl-C or SIGTERM: nothing to report, everything is being ended.
    #[error("stopped")]
    Interrupted,
    /// The current folder holds no samconfig.toml and template.yaml.
    #[error("{} is no Ferrite checkout: start the scripts as ./scripts/NAME", .0.display())]
    NotACheckout(PathBuf),
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    NotStarted {
        /// The program's name.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program ran and failed; what it wrote is above, or in `log`.
    #[error("{program} failed ({status}){}", .log.as_deref().map(tail).unwrap_or_default())]
    Failed {
        /// The program and its subcommand.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// Where its output went, when not to the terminal.
        log: Option<PathBuf>,
    },
    /// A program answered with something else than what it is known to print.
    #[error("{program} printed something unexpected: {reason}")]
    Unexpected {
        /// The program or service.
        program: String,
        /// What was wrong.
        reason: String,
    },
    /// No Python that can make the tools' environments.
    #[error(
        "Python {wanted} with its venv module is needed (found: {found}); your package manager has it, \
         for instance as python3 and python3-venv"
    )]
    NoPython {
        /// Which versions would do.
        wanted: String,
        /// The interpreters that were tried.
        found: String,
    },
    /// Another program listens on the port.
    #[error("port {0} is in use by another program: set FERRITE_PORT to a free one, as in FERRITE_PORT=4577 ./scripts/dev")]
    PortTaken(u16),
    /// FERRITE_PORT is not a port.
    #[error("FERRITE_PORT={0} is not a port number (1 to 65535)")]
    NotAPort(String),
    /// `dev` runs in this checkout already.
    #[error("already running at {0}\n./scripts/dev --stop ends it")]
    AlreadyRunning(String),
    /// There is no stack to ask.
    #[error("no local stack is running: start one with ./scripts/dev, or set AWS_ENDPOINT_URL to one")]
    NothingRuns,
    /// An emulator that is run from its package alone.
    #[error("--docker goes with --emulator localstack")]
    NoImage,
    /// There is nothing to run containers with.
    #[error("--docker needs Docker with its compose plug-in, and `docker compose version` fails here")]
    NoDocker,
    /// The emulator ended by itself, or never answered.
    #[error("{name} {what}{}", tail(log))]
    Emulator {
        /// Which one.
        name: &'static str,
        /// What it did.
        what: &'static str,
        /// Its log.
        log: PathBuf,
    },
    /// AWS_ENDPOINT_URL is not something these scripts can call.
    #[error("AWS_ENDPOINT_URL={0} is not of the form http://host:port")]
    NotAnEndpoint(String),
    /// AWS itself is to be called, and the environment does not say as whom or where.
    #[error(
        "{0} is not set: eval \"$(aws configure export-credentials --format env)\" sets the credentials of your profile, \
         and AWS_REGION says where the stack is"
    )]
    NoCredentials(&'static str),
    /// An HTTP request got no answer.
    #[error("{url} did not answer: {reason}")]
    NoAnswer {
        /// The address.
        url: String,
        /// What the client said.
        reason: String,
    },
    /// An HTTP request was refused.
    #[error("{what} was refused with status {status}: {body}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the answer said.
        body: String,
    },
    /// samconfig.toml lacks something.
    #[error("samconfig.toml: {0}")]
    Samconfig(String),
    /// template.yaml is not what these scripts can read.
    #[error("template.yaml: {0}")]
    Template(String),
    /// Binaries are larger than they may be.
    #[error("larger than the budget of {budget} bytes: {binaries}")]
    TooLarge {
        /// The most bytes that each may have.
        budget: u64,
        /// Each with its bytes.
        binaries: String,
    },
    /// Something could not be measured.
    #[error(transparent)]
    Bench(#[from] crate::bench::BenchError),
    /// The roles allow something else than what is needed.
    #[error(transparent)]
    Permissions(#[from] crate::permissions::PermissionsError),
    /// A gate found something.
    #[error(transparent)]
    Findings(#[from] crate::gates::Findings),
    /// Dead letters could not be listed or sent back.
    #[error(transparent)]
    Redrive(#[from] crate::redrive::RedriveError),
    /// A crate under functions/ is not one binary of its own name.
    #[error("functions/{0}: a function's crate has one binary, named like the crate")]
    NotAFunction(String),
    /// The file system cannot be watched.
    #[error("cannot watch the sources: {0}")]
    Watch(#[from] notify::Error),
    /// The local token issuer failed.
    #[error(transparent)]
    Issuer(#[from] ferrite_tests::issuer::IssuerError),
    /// An archive for Lambda could not be written.
    #[error("cannot pack the function: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A request to an AWS API could not be signed.
    #[error("cannot sign the request: {0}")]
    Sign(String),
    /// The signal handler could not be installed.
    #[error("cannot handle Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// Another test run of this checkout uses its folder and its stack.
    #[error("./scripts/test runs in this checkout already")]
    TestsRunAlready,
    /// Another storm of this checkout uses its folder.
    #[error("./scripts/chaos runs in this checkout already")]
    StormRages,
    /// A storm could not be carried through.
    #[error(transparent)]
    Storm(#[from] ferrite_chaos::storm::StormError),
    /// Steps of the test run failed; each has been reported.
    #[error("")]
    TestsFailed,
}

/// Names the file in an I/O error: `fs::read(path).map_err(at(path))`.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Trouble + use<> {
    let path = path.to_owned();
    |source| Trouble::File { path, source }
}

/// The last lines of a log, and where the rest is.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(25)..].join("\n");
    format!("; from {}:\n{last}", log.display())
}
