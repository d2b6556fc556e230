//! Handler that publishes the changes of a DynamoDB table as domain events: the table is a transactional outbox.
//!
//! A function that writes to the table does not publish anything itself, so a crash cannot separate the change from its
//! event. Only committed changes are published, each at least once.
//!
//! ```no_run
//! use ferrite_core::CloudEvent;
//! use ferrite_core::ports::{DeadLetterQueue, PublishEvents};
//! use ferrite_runtime::InitError;
//! use ferrite_runtime::batch::outbox;
//! use serde_json::Value;
//!
//! # use ferrite_core::Event;
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # #[serde(tag = "type", content = "data")]
//! # enum NoteEvent { Written { note_id: String } }
//! # impl Event for NoteEvent {
//! #     const SOURCE: &'static str = "example.notes";
//! #     fn event_type(&self) -> &'static str { "" }
//! # }
//! # async fn serve(dead_letters: &impl DeadLetterQueue, bus: &impl PublishEvents<NoteEvent>) -> Result<(), InitError> {
//! outbox::serve(dead_letters, bus, |record: Value| to_event(record)).await
//! # }
//! # fn to_event(_: Value) -> Result<Option<CloudEvent<NoteEvent>>, std::io::Error> { Ok(None) }
//! ```

use std::error::Error;

use ferrite_core::ports::{DeadLetterQueue, PublishEvents};
use ferrite_core::{CloudEvent, Event};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Response, dynamodb, events};
use crate::{Failure, InitError};

/// Runs the function: publishes the event of each record of the table's stream.
///
/// `to_event` converts a record to its event, or to `None` if the change requires no event. A record that it cannot read
/// goes to the dead-letter queue, because a retry would fail again and block the shard. If an event cannot be published,
/// Lambda retries the whole batch. Derive the identifier of an event from the record (such as with
/// [`EventId::of_change`](ferrite_core::EventId::of_change)), so that consumers recognize the event of a retry.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<R, E, X>(
    dead_letters: &impl DeadLetterQueue,
    bus: &impl PublishEvents<E>,
    to_event: impl Fn(R) -> Result<Option<CloudEvent<E>>, X> + Sync,
) -> Result<(), InitError>
where
    R: DeserializeOwned,
    E: Event,
    X: Into<Box<dyn Error + Send + Sync>>,
{
    dynamodb::serve_batch(dead_letters, |record| read(record, &to_event), |events| publish(bus, events)).await
}

/// Publishes the events of the records in the event `batch`, as [`serve`] does.
///
/// # Errors
/// Returns an error if the event is not a batch, an event was not published, or a record cannot be sent to the dead-letter
/// queue.
pub async fn process_batch<R, E, X>(
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    bus: &impl PublishEvents<E>,
    to_event: impl Fn(R) -> Result<Option<CloudEvent<E>>, X>,
) -> Result<Response, Failure>
where
    R: DeserializeOwned,
    E: Event,
    X: Into<Box<dyn Error + Send + Sync>>,
{
    dynamodb::process_batch(batch, dead_letters, |record| read(record, &to_event), |events| publish(bus, events)).await
}

fn read<R, E, X>(
    record: &Value,
    to_event: &impl Fn(R) -> Result<Option<CloudEvent<E>>, X>,
) -> Result<Option<CloudEvent<E>>, Failure>
where
    R: DeserializeOwned,
    X: Into<Box<dyn Error + Send + Sync>>,
{
    let record = R::deserialize(record).map_err(Failure::reject)?;
    to_event(record).map_err(Failure::reject)
}

async fn publish<E: Event>(bus: &impl PublishEvents<E>, events: Vec<Option<CloudEvent<E>>>) -> Result<(), Failure> {
    let events: Vec<CloudEvent<E>> = events.into_iter().flatten().collect();
    if events.is_empty() {
        return Ok(());
    }
    bus.publish(&events).await?;
    events.iter().for_each(events::log_event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrite_core::contract::bus::TestEvent;
    use ferrite_core::contract::now;
    use ferrite_core::memory::{RecordingBus, RecordingQueue};
    use ferrite_core::ports::PortError;
    use ferrite_core::{EventId, Version};
    use serde_json::json;

    use super::*;

    /// A record with the note `note`. The note "silent" requires no event.
    fn record(note: &Value) -> Value {
        let change = json!({"SequenceNumber": "1", "Keys": {"pk": {"S": "NOTE#1"}}, "NewImage": {"note": {"S": note}}});
        json!({"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": change})
    }

    fn to_event(record: Value) -> Result<Option<CloudEvent<TestEvent>>, &'static str> {
        let note = record.pointer("/dynamodb/NewImage/note/S").and_then(Value::as_str).ok_or("not of a note")?;
        let id = EventId::of_change(note, Version::FIRST);
        let event = TestEvent::Happened { note: note.to_owned() };
        Ok((note != "silent").then(|| CloudEvent::new(id, note.to_owned(), now(), event)))
    }

    async fn relay(bus: &impl PublishEvents<TestEvent>, records: &[Value], queue: &RecordingQueue) -> bool {
        process_batch(json!({ "Records": records }), queue, bus, to_event).await.is_ok()
    }

    #[tokio::test]
    async fn publishes_the_same_events_when_a_batch_is_retried() {
        let bus = RecordingBus::default();
        for _ in 0..2 {
            let records = [record(&json!("n1")), record(&json!("silent"))];
            assert!(relay(&bus, &records, &RecordingQueue::default()).await);
        }
        let events = bus.all();
        assert_eq!((events.len(), events[0].id.as_str()), (2, "n1:1"));
        assert_eq!(events[0], events[1]);
    }

    #[tokio::test]
    async fn sends_unreadable_records_to_the_dead_letter_queue_and_publishes_the_others() {
        let bus = RecordingBus::default();
        let queue = RecordingQueue::default();
        let poison = record(&json!(7));
        assert!(relay(&bus, &[poison.clone(), record(&json!("n1"))], &queue).await);
        assert_eq!(bus.all().len(), 1);
        assert_eq!(queue.rejected(), [(poison.to_string(), "not of a note".to_owned())]);
    }

    #[tokio::test]
    async fn fails_the_batch_when_an_event_is_not_published() {
        struct FailingBus;
        impl PublishEvents<TestEvent> for FailingBus {
            async fn publish(&self, _: &[CloudEvent<TestEvent>]) -> Result<(), PortError> {
                Err(PortError::new("PutEvents", "throttled"))
            }
        }
        assert!(!relay(&FailingBus, &[record(&json!("n1"))], &RecordingQueue::default()).await);
        assert!(relay(&FailingBus, &[record(&json!("silent"))], &RecordingQueue::default()).await, "there is no event");
    }
}
