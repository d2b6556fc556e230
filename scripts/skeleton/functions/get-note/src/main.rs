//! GET /notes/{noteId}: returns a note of the caller.

mod handler;

use ferrite_aws::sdk_config;
use ferrite_runtime::{InitError, config, http, service_fn};
use serde::Deserialize;
use store::Table;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let table = Table::new(&sdk_config()?, settings.table_name);
    table.prewarm_read().await;
    http::serve(service_fn(|request| handler::get_note(&table, request))).await
}
