use ferrite_core::CloudEvent;
use ferrite_core::ports::PublishEvents;
use ferrite_domain::DomainEvent;
use ferrite_runtime::Failure;
use ferrite_runtime::batch::events;
use ferrite_store::StreamRecord;
use serde::Deserialize;
use serde_json::Value;

/// What a record of the table's stream tells, if it tells anything.
///
/// # Errors
/// It cannot be read: it would hold up its shard without ever getting better.
pub(crate) fn read(record: &Value) -> Result<Option<CloudEvent<DomainEvent>>, Failure> {
    let record = StreamRecord::deserialize(record).map_err(Failure::reject)?;
    record.into_event().map_err(Failure::reject)
}

/// Publishes what the records of a batch tell.
///
/// The table is the outbox: nothing is published that was not committed, and what was committed is published at least
/// once. When an event cannot be published the whole batch is delivered again; its events have the same identifiers
/// then, and consumers know those they had.
///
/// # Errors
/// An event was not published.
pub(crate) async fn relay_events(
    bus: &impl PublishEvents<DomainEvent>,
    told: Vec<Option<CloudEvent<DomainEvent>>>,
) -> Result<(), Failure> {
    let told: Vec<CloudEvent<DomainEvent>> = told.into_iter().flatten().collect();
    if told.is_empty() {
        return Ok(());
    }
    bus.publish(&told).await?;
    told.iter().for_each(events::log_event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{RecordedEvents, RecordedQueue};
    use ferrite_core::ports::PortError;
    use ferrite_runtime::batch::dynamodb;
    use serde_json::json;

    use super::*;

    const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn record() -> Value {
        let money = json!({"M": {"amount": {"N": "1250"}, "currency": {"S": "EUR"}}});
        json!({"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {"SequenceNumber": "1",
            "Keys": {"pk": {"S": "CUSTOMER#ada"}, "sk": {"S": format!("ORDER#{ORDER}")}}, "NewImage": {
            "pk": {"S": "CUSTOMER#ada"}, "sk": {"S": format!("ORDER#{ORDER}")}, "id": {"S": ORDER}, "customerId": {"S": "ada"},
            "status": {"S": "pending"}, "lines": {"L": []}, "total": money, "paymentToken": {"S": "tok_success"},
            "correlationid": {"S": "checkout-7"},
            "version": {"N": "1"}, "createdAt": {"S": "2026-11-22T22:00:00Z"}, "updatedAt": {"S": "2026-11-22T22:00:00Z"},
        }}})
    }

    async fn relay(bus: &impl PublishEvents<DomainEvent>, records: Value, queue: &RecordedQueue) -> bool {
        let handler = |told| relay_events(bus, told);
        dynamodb::process_whole(json!({ "Records": records }), queue, read, handler).await.is_ok()
    }

    #[tokio::test]
    async fn a_batch_that_comes_twice_tells_the_same_events() {
        let (bus, queue) = (RecordedEvents::default(), RecordedQueue::default());
        for _ in 0..2 {
            assert!(relay(&bus, json!([record()]), &queue).await);
        }
        let events = bus.all();
        assert_eq!(events[0], events[1]);
        assert_eq!(events[0].id.as_str(), format!("{ORDER}:1"));
        assert_eq!(events[0].trace_context.correlation_id.as_ref().map(|id| id.as_str()), Some("checkout-7"));
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_put_aside_and_the_others_are_told() {
        let (bus, queue) = (RecordedEvents::default(), RecordedQueue::default());
        let mut poison = record();
        poison["dynamodb"]["NewImage"] = json!({"pk": {"S": "x"}});
        assert!(relay(&bus, json!([poison, record()]), &queue).await);
        assert_eq!(bus.all().len(), 1);
        let rejected = queue.rejected();
        assert_eq!((rejected.len(), rejected[0].0.as_str()), (1, &*poison.to_string()));
        assert!(rejected[0].1.contains("does not match its key"), "{}", rejected[0].1);
    }

    #[tokio::test]
    async fn an_event_that_was_not_published_fails_the_batch() {
        struct Down;
        impl PublishEvents<DomainEvent> for Down {
            async fn publish(&self, _: &[CloudEvent<DomainEvent>]) -> Result<(), PortError> {
                Err(PortError::new("PutEvents", "throttled"))
            }
        }
        assert!(!relay(&Down, json!([record()]), &RecordedQueue::default()).await);
    }
}
