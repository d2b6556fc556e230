//! Purges old notes on a schedule.

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::schedule::{self, ScheduledInvocation};
use ferrite_runtime::{Failure, InitError, config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    dead_letter_queue_url: String,
}

async fn purge_notes(invocation: ScheduledInvocation) -> Result<(), Failure> {
    tracing::info!(before = %invocation.time, "notes purged");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let dead_letters = DeadLetters::new(&sdk_config()?, settings.dead_letter_queue_url);
    schedule::serve(&dead_letters, purge_notes).await
}
