//! Scheduled: cancels orders that have been pending for too long.

mod handler;

use std::time::Duration;

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, schedule};
use ferrite_store::Table;
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    dead_letter_queue_url: String,
    pending_order_minutes: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    let pending_timeout = Duration::from_secs(60 * u64::from(settings.pending_order_minutes));
    table.prewarm_index_query().await;
    schedule::serve(&dead_letters, |_: schedule::ScheduledInvocation| {
        handler::expire_orders(&table, &SystemClock, pending_timeout)
    })
    .await
}
