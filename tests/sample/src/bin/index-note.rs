//! Consumes the notes queue and indexes each note.

use ferrite_aws::{Queue, sdk_config};
use ferrite_runtime::batch::{Limits, sqs};
use ferrite_runtime::{Failure, InitError, config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    queue_url: String,
    dead_letter_queue_url: String,
}

async fn index_note(message: sqs::Message) -> Result<(), Failure> {
    let note: serde_json::Value = serde_json::from_str(&message.body).map_err(Failure::reject)?;
    tracing::info!(id = note["id"].as_str(), "note indexed");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let queue = Queue::new(&sdk_config()?, settings.queue_url, settings.dead_letter_queue_url);
    sqs::serve(&queue, Limits::default(), index_note).await
}
