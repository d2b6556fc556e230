//! GET /orders

mod handler;

use ferrite_aws::{Table, sdk_config};
use ferrite_runtime::{InitError, config, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let table = Table::new(&sdk_config()?, config::required("TABLE_NAME")?);
    http::serve(|request| handler::list_orders(&table, request)).await
}
