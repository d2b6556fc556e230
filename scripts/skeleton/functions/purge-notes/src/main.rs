//! Scheduled: deletes old notes.

mod handler;

use std::time::Duration;

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, schedule};
use serde::Deserialize;
use store::Table;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    dead_letter_queue_url: String,
    note_retention_days: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    let retention = Duration::from_secs(86_400 * u64::from(settings.note_retention_days));
    table.prewarm_index_query().await;
    schedule::serve(&dead_letters, |_: schedule::ScheduledInvocation| handler::purge_notes(&table, &SystemClock, retention))
        .await
}
