//! The notes queue: counts the words of new notes.

mod handler;

use ferrite_aws::{Queue, sdk_config};
use ferrite_runtime::batch::{Limits, events};
use ferrite_runtime::{InitError, config};
use serde::Deserialize;
use store::Table;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    table.prewarm_read().await;
    events::serve(&queue, Limits::default(), |event| handler::process_note(&table, event)).await
}
