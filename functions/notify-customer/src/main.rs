//! The notifications queue: sends each customer notification by e-mail, once.

mod email_deliveries;
mod handler;

use std::time::Duration;

use ferrite_aws::{IdempotencyTable, Queue, sdk_config};
use ferrite_domain::{Email, EmailLimit};
use ferrite_runtime::batch::{Limits, events};
use ferrite_runtime::{InitError, SystemClock, config};
use ferrite_store::{Mailer, Table};
use serde::Deserialize;

use self::email_deliveries::EmailDeliveries;

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    idempotency_table_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
    sender_address: Email,
    configuration_set: String,
    email_confirmation_seconds: u32,
    emails_per_hour: EmailLimit,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let mailer = Mailer::new(&aws, settings.sender_address, settings.configuration_set);
    let records = IdempotencyTable::new(&aws, settings.idempotency_table_name);
    let window = Duration::from_secs(settings.email_confirmation_seconds.into());
    let deliveries = EmailDeliveries::new(records, table.clone(), SystemClock, window, settings.emails_per_hour);
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    table.prewarm_read().await;
    let handler = |event| handler::notify_customer(&table, &mailer, &deliveries, event);
    events::serve(&queue, Limits::default(), handler).await
}
