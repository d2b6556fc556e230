//! The end of an execution environment. Lambda sends SIGTERM where an extension is registered ("Lambda runtime
//! lifecycle", "Shutdown phase"), and so do other runtimes of the function.

use lambda_runtime::Error;
use tokio::signal::unix::{SignalKind, signal};

use crate::invocation::{self, Invocation};
use crate::{InitError, log};

/// Serves until the Runtime API fails or SIGTERM arrives. If the signal interrupts an invocation, logs what was in progress
/// and the buffered lines.
pub(crate) async fn until_terminated(serving: impl Future<Output = Result<(), Error>>) -> Result<(), InitError> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = serving => Ok(served?),
        _ = terminate.recv() => {
            invocation::in_progress().inspect(|invocation| log_interruption(invocation));
            Ok(())
        }
    }
}

fn log_interruption(invocation: &Invocation) {
    log::flush(invocation);
    let running = invocation.running().join(" > ");
    let message = "the process was ended in the middle of an invocation";
    tracing::warn!(function_request_id = invocation.request_id, running, "{message}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::invocation::testing::invoked;

    #[tokio::test]
    async fn stops_serving_on_sigterm() {
        let serving = async {
            // The signal handler is installed by the time that this runs.
            assert!(Command::new("kill").arg(std::process::id().to_string()).status().unwrap().success());
            std::future::pending().await
        };
        until_terminated(serving).await.unwrap();
    }

    #[tokio::test]
    async fn logs_the_buffered_lines_of_an_interrupted_invocation() {
        let ((), invocation) = invoked(async { tracing::debug!("half way") }).await;
        log_interruption(&invocation);
        assert!(invocation.state().buffer.take().0.is_empty(), "nothing is left");
    }
}
