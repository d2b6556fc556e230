//! A handler of this system's domain events: behind a queue that an EventBridge rule fills.
//!
//! ```no_run
//! use ferrite_domain::DomainEvent;
//! use ferrite_runtime::InitError;
//! use ferrite_runtime::batch::{Failure, Limits, events};
//!
//! # async fn serve(queue: &impl ferrite_domain::ports::WorkQueue) -> Result<(), InitError> {
//! events::serve(queue, Limits::default(), async |event| match event.event {
//!     DomainEvent::OrderPaid(paid) => ship(paid.order_id).await.map_err(Failure::retry),
//!     other => Err(Failure::reject(format!("{} is not what this queue is for", other.kind()))),
//! })
//! .await
//! # }
//! # async fn ship(_: ferrite_domain::OrderId) -> Result<(), std::io::Error> { Ok(()) }
//! ```

use ferrite_domain::ports::WorkQueue;
use ferrite_domain::{CloudEvent, EventError};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::sqs::{self, Message};
use super::{Failure, Limits};
use crate::{InitError, invocation, log};

#[derive(Deserialize)]
struct FromRule<'a> {
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// The domain event in the body of a message that an EventBridge rule sent ("Events in Amazon EventBridge").
///
/// # Errors
/// It is no such body, or holds no event of a type, version and source that is known here.
pub fn from_rule(body: &str) -> Result<CloudEvent, EventError> {
    let event: FromRule<'_> = serde_json::from_str(body).map_err(|error| EventError::Malformed(error.to_string()))?;
    CloudEvent::parse(event.detail.get())
}

/// Serves events with `handler` for as long as the function lives, as [`sqs::serve`] does messages. What is no event of
/// this system goes to the dead-letter queue with the reason. The handler goes on in the trace, and under the
/// correlation id, of what set the event off.
///
/// # Errors
/// A setting is malformed, or the Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(queue: &impl WorkQueue, limits: Limits, handler: H) -> Result<(), InitError>
where
    H: Fn(CloudEvent) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    sqs::serve(queue, limits, move |message| in_message(message, handler)).await
}

async fn in_message<F>(message: Message, handler: impl FnOnce(CloudEvent) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let event = from_rule(&message.body).map_err(Failure::reject)?;
    let (keys, cause) = (Map::from_iter([("event_id".to_owned(), event.id.as_str().into())]), event.cause.clone());
    log_event(&event);
    invocation::in_record(keys, cause, handler(event)).await
}

/// Adds the event, its trace and its correlation id to the line of the invocation.
pub fn log_event(event: &CloudEvent) {
    let entry = json!({
        "event_id": event.id,
        "correlation_id": event.cause.correlation_id,
        "xray_trace_id": event.cause.traceparent.map(|place| place.xray_trace_id()),
    });
    log::append_to_list("events", entry);
}

#[cfg(test)]
mod tests {
    use ferrite_domain::memory::RecordedQueue;
    use serde_json::Value;

    use super::*;
    use crate::invocation::testing::invoked;
    use crate::trace;

    fn message(detail: &Value) -> Value {
        let body = json!({ "source": "ferrite.storefront", "detail": detail }).to_string();
        json!({ "messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs" })
    }

    fn paid() -> Value {
        json!({
            "specversion": "1.0", "id": "ord_0192f0c1a2b37c4d8e5f60718293a4b5:2", "source": "ferrite.storefront",
            "subject": "ord_0192f0c1a2b37c4d8e5f60718293a4b5", "time": "2026-11-22T22:00:00.120Z",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "correlationid": "checkout-7",
            "type": "ferrite.order.paid.v1",
            "data": {"orderId": "ord_0192f0c1a2b37c4d8e5f60718293a4b5", "customerId": "ada",
                     "total": {"amount": 3500, "currency": "EUR"}}
        })
    }

    #[tokio::test]
    async fn the_worker_goes_on_in_the_trace_of_what_set_the_event_off() {
        let handler = async |_: CloudEvent| {
            let cause = trace::cause();
            let place = cause.traceparent.unwrap();
            assert_eq!(place.xray_trace_id(), "1-0af76519-16cd43dd8448eb211c80319c");
            assert_ne!(place.span_id, 0xb7ad_6b71_6920_3331, "a span of its own");
            assert_eq!(cause.correlation_id.unwrap().as_str(), "checkout-7");
            Ok(())
        };
        let batch = json!({ "Records": [message(&paid())] });
        let queue = RecordedQueue::default();
        let work =
            async { sqs::each(batch, &queue, Limits::default(), &|message| in_message(message, handler)).await.unwrap() };
        let (response, invocation) = invoked(work).await;
        assert_eq!(response.counts.succeeded, 1);
        let entry = &invocation.state().fields["events"][0];
        assert_eq!((&entry["correlation_id"], &entry["event_id"]), (&json!("checkout-7"), &paid()["id"]));
    }

    #[tokio::test]
    async fn what_is_no_event_of_ours_goes_to_the_dead_letter_queue_with_the_reason() {
        for (key, value, reason) in [
            ("type", json!("ferrite.order.paid.v9"), "v9"),
            ("source", json!("elsewhere"), "elsewhere"),
            ("data", json!({}), "orderId"),
        ] {
            let mut event = paid();
            event[key] = value;
            let queue = RecordedQueue::default();
            let handler = async |_: CloudEvent| -> Result<(), Failure> { panic!("not to be handled") };
            let batch = json!({ "Records": [message(&event)] });
            let response =
                sqs::each(batch, &queue, Limits::default(), &|message| in_message(message, handler)).await.unwrap();
            assert_eq!(response.counts.rejected, 1);
            assert!(queue.rejected()[0].1.contains(reason), "{:?}", queue.rejected());
        }
    }
}
