//! The table's stream: publishes committed changes as domain events.

mod handler;

use ferrite_aws::{Bus, Queue, sdk_config};
use ferrite_runtime::{InitError, config, event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let aws = sdk_config()?;
    let bus = Bus::new(&aws, config::required("BUS_NAME")?);
    let dead_letters = Queue::dead_letters(&aws, config::required("DEAD_LETTER_QUEUE_URL")?);
    event::serve(|batch| handler::relay_events(&bus, &dead_letters, batch)).await
}
