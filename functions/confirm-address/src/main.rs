//! POST /me/email-confirmation: confirms the customer's e-mail address.

mod handler;

use ferrite_aws::sdk_config;
use ferrite_runtime::{InitError, SystemClock, config, http, service_fn};
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
    http::serve(service_fn(|request| handler::confirm_address(&table, &SystemClock, request))).await
}
