//! GET /me: returns the customer's profile.

mod handler;

use ferrite_aws::sdk_config;
use ferrite_runtime::{InitError, config, http, service_fn};
use ferrite_store::Table;
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let table = Table::new(&sdk_config()?, settings.table_name);
    table.prewarm_read().await;
    http::serve(service_fn(|request| handler::get_customer(&table, request))).await
}
