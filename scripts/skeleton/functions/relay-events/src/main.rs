//! The table's DynamoDB stream: publishes committed changes as domain events.

use ferrite_aws::{Bus, DeadLetters, sdk_config};
use ferrite_runtime::batch::outbox;
use ferrite_runtime::{InitError, config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    bus_name: String,
    dead_letter_queue_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let bus = Bus::new(&aws, settings.bus_name);
    let dead_letters = DeadLetters::new(&aws, settings.dead_letter_queue_url);
    bus.prewarm().await;
    outbox::serve(&dead_letters, &bus, store::to_event).await
}
