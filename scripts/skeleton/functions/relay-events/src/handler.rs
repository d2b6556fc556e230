use domain::DomainEvent;
use ferrite_core::CloudEvent;
use ferrite_core::ports::PublishEvents;
use ferrite_runtime::Failure;
use ferrite_runtime::batch::events::log_event;
use serde::Deserialize;
use serde_json::Value;
use store::StreamRecord;

/// Converts a stream record of the table into its domain event. Returns `None` if the record does not produce an event.
///
/// # Errors
/// Rejects a record that cannot be read: a retry would fail again and block the shard.
pub(crate) fn to_event(record: &Value) -> Result<Option<CloudEvent<DomainEvent>>, Failure> {
    let record = StreamRecord::deserialize(record).map_err(Failure::reject)?;
    record.into_event().map_err(Failure::reject)
}

/// Publishes the events of a batch.
///
/// The table is the outbox: only committed changes are published, each at least once. If an event cannot be published,
/// Lambda retries the whole batch. The retried events have the same ids, so consumers can recognize duplicates.
///
/// # Errors
/// Returns an error if an event was not published.
pub(crate) async fn relay_events(
    bus: &impl PublishEvents<DomainEvent>,
    events: Vec<Option<CloudEvent<DomainEvent>>>,
) -> Result<(), Failure> {
    let events: Vec<CloudEvent<DomainEvent>> = events.into_iter().flatten().collect();
    if events.is_empty() {
        return Ok(());
    }
    bus.publish(&events).await?;
    events.iter().for_each(log_event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{RecordingBus, RecordingQueue};
    use ferrite_core::ports::PortError;
    use ferrite_runtime::batch::dynamodb;
    use serde_json::json;

    use super::*;

    const NOTE: &str = "note_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn record() -> Value {
        let created = "2026-11-22T22:00:00.000Z";
        json!({"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {"SequenceNumber": "1",
            "Keys": {"pk": {"S": "AUTHOR#ada"}, "sk": {"S": format!("NOTE#{NOTE}")}}, "NewImage": {
            "pk": {"S": "AUTHOR#ada"}, "sk": {"S": format!("NOTE#{NOTE}")}, "gsi1pk": {"S": "NOTES"},
            "gsi1sk": {"S": format!("{created}#{NOTE}")}, "id": {"S": NOTE}, "authorId": {"S": "ada"},
            "text": {"S": "Buy milk"}, "version": {"N": "1"}, "createdAt": {"S": created},
        }}})
    }

    async fn relay(bus: &impl PublishEvents<DomainEvent>, records: Value, queue: &RecordingQueue) -> bool {
        let handler = |events| relay_events(bus, events);
        dynamodb::process_batch(json!({ "Records": records }), queue, to_event, handler).await.is_ok()
    }

    #[tokio::test]
    async fn publishes_the_same_events_when_a_batch_is_retried() {
        let bus = RecordingBus::default();
        let queue = RecordingQueue::default();
        for _ in 0..2 {
            assert!(relay(&bus, json!([record()]), &queue).await);
        }
        let events = bus.all();
        assert_eq!(events[0], events[1]);
        assert_eq!(events[0].id.as_str(), format!("{NOTE}:1"));
    }

    #[tokio::test]
    async fn sends_unreadable_records_to_the_dead_letter_queue_and_publishes_the_others() {
        let bus = RecordingBus::default();
        let queue = RecordingQueue::default();
        let mut poison = record();
        poison["dynamodb"]["NewImage"] = json!({"pk": {"S": "x"}});
        assert!(relay(&bus, json!([poison, record()]), &queue).await);
        assert_eq!(bus.all().len(), 1);
        let rejected = queue.rejected();
        assert_eq!((rejected.len(), rejected[0].0.as_str()), (1, &*poison.to_string()));
        assert!(rejected[0].1.contains("not of a note"), "{}", rejected[0].1);
    }

    #[tokio::test]
    async fn fails_the_batch_when_an_event_is_not_published() {
        struct FailingBus;
        impl PublishEvents<DomainEvent> for FailingBus {
            async fn publish(&self, _: &[CloudEvent<DomainEvent>]) -> Result<(), PortError> {
                Err(PortError::new("PutEvents", "throttled"))
            }
        }
        assert!(!relay(&FailingBus, json!([record()]), &RecordingQueue::default()).await);
    }
}
