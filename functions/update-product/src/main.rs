//! PATCH /products/{productId}

mod handler;

use ferrite_aws::{ImageSigner, Table, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let aws = sdk_config()?;
    let table = Table::new(&aws, config::required("TABLE_NAME")?);
    let links = ImageSigner::new(&aws, &config::required("IMAGE_BUCKET")?).await?;
    http::serve(|request| handler::update_product(&table, &links, &SystemClock, request)).await
}
