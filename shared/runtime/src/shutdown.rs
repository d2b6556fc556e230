//! Shutdown of the execution environment. Lambda sends SIGTERM if an extension is registered ("Lambda runtime
//! lifecycle", "Shutdown phase"). Other environments that run the function, such as emulators, also send it.

use lambda_runtime::Error;
use tokio::signal::unix::{SignalKind, signal};

use crate::invocation::{self, Invocation};
use crate::{InitError, log};

/// Serves until the Runtime API fails or the process receives SIGTERM. If the signal interrupts an invocation, writes
/// the buffered log lines and logs the work in progress.
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
    let message = "received SIGTERM during an invocation";
    tracing::warn!(function_request_id = invocation.request_id, running, "{message}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::invocation::testing::in_invocation;

    #[tokio::test]
    async fn stops_serving_on_sigterm() {
        let serving = async {
            // The signal handler is installed before this code runs.
            assert!(Command::new("kill").arg(std::process::id().to_string()).status().unwrap().success());
            std::future::pending().await
        };
        until_terminated(serving).await.unwrap();
    }

    #[tokio::test]
    async fn logs_the_buffered_lines_of_an_interrupted_invocation() {
        let ((), invocation) = in_invocation(async { tracing::debug!("in progress") }).await;
        log_interruption(&invocation);
        assert!(invocation.state().buffer.take().0.is_empty(), "should write all buffered lines");
    }
}
