//! The messages queue: logs each message once, or fails as the message asks.

use std::convert::Infallible;
use std::io;

use ferrite_aws::{IdempotencyTable, Queue, sdk_config};
use ferrite_runtime::batch::{Limits, sqs};
use ferrite_runtime::idempotency::Idempotency;
use ferrite_runtime::{Failure, InitError, SystemClock, config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    idempotency_table_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Task {
    /// Messages with the same id are handled once.
    id: String,
    /// How often the message fails before it succeeds.
    #[serde(default)]
    failures: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let records = IdempotencyTable::new(&aws, settings.idempotency_table_name);
    let idempotency = Idempotency::new(records, SystemClock, "consume-message");
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    sqs::serve(&queue, Limits::default(), async |message| {
        let task: Task = serde_json::from_str(&message.body).map_err(Failure::reject)?;
        if message.receive_count() <= task.failures {
            return Err(Failure::retry(io::Error::other(format!("{} fails", task.id))));
        }
        let work = async {
            tracing::info!(task = task.id, "task finished");
            Ok::<_, Infallible>(())
        };
        Ok(idempotency.once(&task.id, &task.id, work).await?)
    })
    .await
}
