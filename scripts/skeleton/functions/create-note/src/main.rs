//! POST /notes: creates a note.

mod handler;

use ferrite_aws::{IdempotencyTable, sdk_config};
use ferrite_runtime::idempotency::Idempotency;
use ferrite_runtime::tower::ServiceBuilder;
use ferrite_runtime::{InitError, RandomIds, SystemClock, config, http, service_fn};
use serde::Deserialize;
use store::Table;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    idempotency_table_name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let records = IdempotencyTable::new(&aws, settings.idempotency_table_name);
    let idempotency = Idempotency::new(records, SystemClock, "create-note");
    table.prewarm_put().await;
    let handler = service_fn(|request| handler::create_note(&table, &RandomIds, &SystemClock, request));
    http::serve(ServiceBuilder::new().layer(http::idempotency::layer(&idempotency)).service(handler)).await
}
