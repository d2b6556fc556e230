//! The confirmations queue: records which e-mails SES accepted.

mod email_sent;
mod handler;

use ferrite_aws::{IdempotencyTable, Queue, sdk_config};
use ferrite_runtime::batch::{Limits, sqs};
use ferrite_runtime::{InitError, SystemClock, config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    idempotency_table_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let records = IdempotencyTable::new(&aws, settings.idempotency_table_name);
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    let handler = |message| handler::confirm_email(&records, &SystemClock, message);
    sqs::serve(&queue, Limits::default(), handler).await
}
