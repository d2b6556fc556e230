//! PATCH /products/{productId}: changes a product.

mod handler;

use ferrite_aws::sdk_config;
use ferrite_runtime::{InitError, SystemClock, config, http, service_fn};
use ferrite_store::{ImageSigner, Table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    image_bucket: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let signer = ImageSigner::new(&aws, &settings.image_bucket).await?;
    table.prewarm_update().await;
    http::serve(service_fn(|request| handler::update_product(&table, &signer, &SystemClock, request))).await
}
