//! The e-mail feedback queue: stops e-mail to addresses that bounce or whose owner complains.

mod feedback_event;
mod handler;

use ferrite_aws::{Queue, sdk_config};
use ferrite_runtime::batch::{Limits, sqs};
use ferrite_runtime::{InitError, config};
use ferrite_store::Table;
use serde::Deserialize;

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
    table.prewarm_put().await;
    sqs::serve(&queue, Limits::default(), |message| handler::suppress_address(&table, message)).await
}
