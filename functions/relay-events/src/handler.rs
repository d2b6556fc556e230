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
    let (mut events, mut unreadable) = (Vec::new(), Vec::new());
    for record in batch.records {
        match read(&record) {
            Ok(event) => events.extend(event),
            Err(reason) => unreadable.push((record, reason)),
        }
    }
    // First what may fail for long: a batch that comes back during an outage must not leave its dead letters anew each time.
    if !events.is_empty() {
        bus.publish(&events).await?;
        let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
        log::info("published", json!({ "events": ids }));
    }
    for (record, reason) in unreadable {
        log::error("a stream record goes to the dead-letter queue", json!({ "error": reason }));
        dead_letters.reject(&record.to_string(), &reason).await?;
    }
    Ok(())
}

fn read(record: &Value) -> Result<Option<ferrite_domain::CloudEvent>, String> {
    let record = StreamRecord::deserialize(record).map_err(|error| error.to_string())?;
    record.into_event().map_err(|error| log::chain(&error))
}

#[cfg(test)]
mod tests {
    use ferrite_domain::CloudEvent;
    use ferrite_domain::memory::{RecordedEvents, RecordedQueue};

    use super::*;

    const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn record() -> Value {
        let money = json!({"M": {"amount": {"N": "1250"}, "currency": {"S": "EUR"}}});
        json!({"eventName": "INSERT", "dynamodb": {"NewImage": {
            "pk": {"S": "CUSTOMER#ada"}, "sk": {"S": format!("ORDER#{ORDER}")}, "id": {"S": ORDER}, "customerId": {"S": "ada"},
            "status": {"S": "pending"}, "lines": {"L": []}, "total": money, "paymentToken": {"S": "tok_success"},
            "version": {"N": "1"}, "createdAt": {"S": "2026-11-22T22:00:00Z"}, "updatedAt": {"S": "2026-11-22T22:00:00Z"},
        }}})
    }

    #[tokio::test]
    async fn a_batch_that_comes_twice_tells_the_same_events() {
        let (bus, queue) = (RecordedEvents::default(), RecordedQueue::default());
        for _ in 0..2 {
            relay_events(&bus, &queue, Batch { records: vec![record()] }).await.unwrap();
        }
        let events = bus.all();
        assert_eq!(events[0], events[1]);
        assert_eq!(events[0].id.as_str(), format!("{ORDER}:1"));
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_put_aside_and_the_others_are_told() {
        let (bus, queue) = (RecordedEvents::default(), RecordedQueue::default());
        let poison = json!({"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "x"}}}});
        relay_events(&bus, &queue, Batch { records: vec![poison.clone(), record(), json!("text")] }).await.unwrap();
        assert_eq!(bus.all().len(), 1);
        let rejected = queue.rejected();
        assert_eq!(rejected.len(), 2);
        assert_eq!(rejected[0].0, poison.to_string());
        assert!(rejected[0].1.contains("does not hold an order"), "{}", rejected[0].1);
    }

    #[tokio::test]
    async fn an_event_that_was_not_published_fails_the_batch() {
        struct Down;
        impl PublishEvents for Down {
            async fn publish(&self, _: &[CloudEvent]) -> Result<(), StoreError> {
                Err(StoreError::new("PutEvents", "throttled"))
            }
        }
        let queue = RecordedQueue::default();
        assert!(relay_events(&Down, &queue, Batch { records: vec![json!("text"), record()] }).await.is_err());
        assert_eq!(queue.rejected(), [], "put aside once, when the batch gets through");
    }
}
