//! The orders queue: takes payment for placed orders.

mod handler;

use ferrite_aws::{Queue, SandboxGateway, Table, sdk_config};
use ferrite_runtime::{InitError, SystemClock, config, sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let aws = sdk_config()?;
    let table = Table::new(&aws, config::required("TABLE_NAME")?);
    let gateway = SandboxGateway::new(&aws, config::required("SANDBOX_LEDGER_NAME")?);
    let queue = Queue::new(&aws, config::required("QUEUE_URL")?, config::required("DEAD_LETTER_QUEUE_URL")?);
    sqs::serve(&queue, |message| handler::process_order(&table, &gateway, &SystemClock, message)).await
}
