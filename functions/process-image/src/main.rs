//! S3 ObjectCreated events under uploads/: creates the variants of a product image.

mod handler;

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, s3};
use ferrite_store::{ImageBucket, Table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    image_bucket: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let files = ImageBucket::new(&aws, settings.image_bucket);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    files.prewarm_read().await;
    s3::serve(&dead_letters, |object| handler::process_image(&table, &files, &SystemClock, object)).await
}
