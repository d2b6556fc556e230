//! The orders queue: takes the payment for placed orders and voids it for cancelled orders.

mod handler;

use ferrite_aws::{Queue, sdk_config};
use ferrite_runtime::batch::{Limits, events};
use ferrite_runtime::{InitError, SystemClock, config};
use ferrite_store::{SandboxGateway, Table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    sandbox_ledger_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let gateway = SandboxGateway::new(&aws, settings.sandbox_ledger_name);
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    table.prewarm_read().await;
    let handler = |event| handler::process_order(&table, &gateway, &SystemClock, event);
    events::serve(&queue, Limits::default(), handler).await
}
