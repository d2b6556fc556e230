//! The end of an execution environment. Lambda sends SIGTERM where an extension is registered ("Lambda runtime
//! lifecycle", "Shutdown phase"), and so does whatever else runs the function.

use lambda_runtime::Error;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::invocation::{self, Invocation};
use crate::{InitError, log};

/// Serves until the Runtime API fails or SIGTERM comes. An invocation that the signal interrupts is said, with what it
/// was doing and the lines that it kept back.
pub(crate) async fn until_terminated(serving: impl Future<Output = Result<(), Error>>) -> Result<(), InitError> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = serving => Ok(served?),
        _ = terminate.recv() => {
            invocation::in_progress().inspect(|invocation| interrupted(invocation));
            Ok(())
        }
    }
}

fn interrupted(invocation: &Invocation) {
    log::flush(invocation);
    let fields = json!({ "function_request_id": invocation.request_id, "running": invocation.running() });
    log::warning("the process was ended in the middle of an invocation", fields);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::invocation::testing::invoked;

    #[tokio::test]
    async fn a_signal_to_end_ends_it() {
        let serving = async {
            // Whoever listens for the signal does so by the time that this runs.
            assert!(Command::new("kill").arg(std::process::id().to_string()).status().unwrap().success());
            std::future::pending().await
        };
        until_terminated(serving).await.unwrap();
    }

    #[tokio::test]
    async fn an_invocation_that_is_interrupted_writes_out_what_it_kept_back() {
        let ((), invocation) = invoked(async { log::debug("half way", json!({})) }).await;
        interrupted(&invocation);
        assert!(invocation.written().buffer.take().0.is_empty(), "nothing is left to write");
    }
}
