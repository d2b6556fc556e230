//! S3 ObjectCreated under uploads/: makes a product image's variants.

mod handler;

use ferrite_aws::{ImageBucket, Queue, Table, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let aws = sdk_config()?;
    let table = Table::new(&aws, config::required("TABLE_NAME")?);
    let files = ImageBucket::new(&aws, config::required("IMAGE_BUCKET")?);
    let dead_letters = Queue::dead_letters(&aws, config::required("DEAD_LETTER_QUEUE_URL")?);
    event::serve(|event| handler::process_image(&table, &files, &dead_letters, &SystemClock, event)).await
}
