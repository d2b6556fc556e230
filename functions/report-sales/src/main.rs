//! Scheduled: writes the previous day's sales to S3 as CSV and JSON.

mod handler;

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, schedule};
use ferrite_store::{ReportBucket, Table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    report_bucket: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let reports = ReportBucket::new(&aws, settings.report_bucket);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    table.prewarm_index_query().await;
    schedule::serve(&dead_letters, |request| handler::report_sales(&table, &reports, &SystemClock, request)).await
}
