use ferrite_aws::StreamRecord;
use ferrite_domain::ports::{PublishEvents, StoreError, WorkQueue};
use ferrite_runtime::log;
use serde::Deserialize;
use serde_json::{Value, json};

/// A batch of the table's stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Batch {
    records: Vec<Value>,
}

/// Publishes what the records tell.
///
/// The table is the outbox: nothing is published that was not committed, and what was committed is published at least
/// once. When an event cannot be published the whole batch fails and is delivered again; its events have the same
/// identifiers then, and consumers know those they had. A record that cannot be read goes to the dead-letter queue with
/// the reason, for it would hold up its shard without ever getting better.
///
/// # Errors
/// An event was not published, or a record not put aside.
pub(crate) async fn relay_events(
    bus: &impl PublishEvents,
    dead_letters: &impl WorkQueue,
    batch: Batch,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    for record in batch.records {
        match read(&record) {
            Ok(event) => events.extend(event),
            Err(reason) => {
                log::error("a stream record goes to the dead-letter queue", json!({ "error": reason }));
                dead_letters.reject(&record.to_string(), &reason).await?;
            }
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    bus.publish(&events).await?;
    let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    log::info("published", json!({ "events": ids }));
    Ok(())
}

fn read(record: &Value) -> Result<Option<ferrite_domain::CloudEvent>, String> {
    let record = StreamRecord::deserialize(record).map_err(|error| error.to_string())?;
    record.into_event().map_err(|error| log::chain(&error))
}
