//! S3 ObjectCreated events under uploads/: creates a note from a text file.

mod handler;

use ferrite_aws::{Bucket, DeadLetters, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, s3};
use serde::Deserialize;
use store::Table;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    upload_bucket: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let files = Bucket::new(&aws, settings.upload_bucket);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    files.prewarm_read("uploads/none").await;
    s3::serve(&dead_letters, |object| handler::import_note(&table, &files, &SystemClock, object)).await
}
