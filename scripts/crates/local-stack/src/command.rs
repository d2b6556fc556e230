//! Shared `main` logic of the commands: signals, errors and exit codes.

use std::process::ExitCode;

use crate::process::{interrupted, terminate_children_on_signals};

/// A failure that the command has already printed, so that [`run`] prints nothing.
#[derive(Debug, thiserror::Error)]
#[error("the command failed; see the output above")]
pub struct AlreadyReported;

/// Runs a command and returns its exit code: 0 on success, 130 if a signal interrupted it, and 1 for any other error.
///
/// An error is printed to stderr with the chain of errors that caused it.
pub fn run(command: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    let result = terminate_children_on_signals().map_err(anyhow::Error::from).and_then(|()| command());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if interrupted() => {
            eprintln!("interrupted");
            // 128 + SIGINT, the code that shells report.
            ExitCode::from(130)
        }
        Err(error) if error.is::<AlreadyReported>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
