//! The error type of the benchmark.

use std::io;

use ferrite_local_stack::files::FileError;
use ferrite_local_stack::process::{Interrupted, ProcessError};

/// An error that stops the benchmark.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The operating system is not Linux.
    #[error("the benchmark requires Linux, because functions are Linux programs")]
    NotLinux,
    /// The template has no function with this name.
    #[error("template.yaml has no function {0}")]
    UnknownFunction(String),
    /// The binary of this function does not exist.
    #[error("{0} has not been built; run without --no-build")]
    NotBuilt(String),
    /// A function failed.
    #[error("{function} failed during {phase}: {reason}\nlast log line: {last_log_line}")]
    Function {
        /// Name of the function.
        function: String,
        /// What the function was doing.
        phase: &'static str,
        /// What went wrong.
        reason: String,
        /// Last line of the function's log.
        last_log_line: String,
    },
    /// A server cannot listen on loopback.
    #[error("cannot listen on loopback")]
    Listen(#[source] io::Error),
    /// The Tokio runtime of the servers cannot be created.
    #[error("cannot create the Tokio runtime")]
    Runtime(#[source] io::Error),
    /// The certificate of the endpoint cannot be created.
    #[error("cannot create a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate of the endpoint cannot be used.
    #[error("cannot serve TLS")]
    Tls(#[from] rustls::Error),
    /// A deployment package cannot be created.
    #[error("cannot create the deployment package")]
    Archive(#[from] zip::result::ZipError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The benchmark was interrupted by a signal.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
