//! The `main` of every command: signals, errors and exit codes.

use std::process::ExitCode;

use crate::process::{end_children_on_signals, interrupted};

/// A failure that the command has printed already.
#[derive(Debug, thiserror::Error)]
#[error("failed, as printed above")]
pub struct AlreadyReported;

/// Runs a command. The exit code is 0 on success, 130 after an interrupt, and 1 for any error, which is printed with its causes.
pub fn run(command: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    let outcome = end_children_on_signals().map_err(anyhow::Error::from).and_then(|()| command());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if interrupted() => {
            eprintln!("stopped");
            // 128 + SIGINT, as shells report it.
            ExitCode::from(130)
        }
        Err(error) if error.is::<AlreadyReported>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
