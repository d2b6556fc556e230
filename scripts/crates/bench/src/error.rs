//! Why something could not be measured.

use std::io;

use ferrite_local_stack::files::FileError;
use ferrite_local_stack::process::{Interrupted, ProcessError};

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The functions are Linux programs.
    #[error("functions run on Linux, so this measures them on Linux only")]
    NotLinux,
    /// There is no such function.
    #[error("template.yaml has no function {0}")]
    UnknownFunction(String),
    /// There is nothing to measure.
    #[error("{0} was not built yet: omit --no-build")]
    NotBuilt(String),
    /// A function failed.
    #[error("{function} failed in {what}: {how}\nits last log line: {last}")]
    Function {
        /// Which function.
        function: String,
        /// What it was doing.
        what: &'static str,
        /// How it failed.
        how: String,
        /// The last line of its log.
        last: String,
    },
    /// No port on loopback.
    #[error("cannot listen on loopback")]
    Port(#[source] io::Error),
    /// The endpoint's certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The endpoint's certificate could not be used.
    #[error("cannot serve TLS")]
    Tls(#[from] rustls::Error),
    /// A deployment package could not be packed.
    #[error("cannot pack the function")]
    Archive(#[from] zip::result::ZipError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A signal asked the benchmark to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
