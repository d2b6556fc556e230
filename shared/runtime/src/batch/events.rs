//! Handlers for the application's domain events, received from an SQS queue that is the target of an EventBridge rule.
//!
//! ```no_run
//! use ferrite_core::{CloudEvent, Event};
//! use ferrite_runtime::{Failure, InitError};
//! use ferrite_runtime::batch::{Limits, events};
//!
//! # use ferrite_core::ports::{DeadLetterQueue, MessageVisibility};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # #[serde(tag = "type", content = "data")]
//! # enum NoteEvent { Written { note_id: String }, Deleted { note_id: String } }
//! # impl Event for NoteEvent {
//! #     const SOURCE: &'static str = "example.notes";
//! #     fn event_type(&self) -> &'static str { "" }
//! # }
//! # async fn serve(queue: &(impl DeadLetterQueue + MessageVisibility)) -> Result<(), InitError> {
//! events::serve(queue, Limits::default(), async |event: CloudEvent<NoteEvent>| match event.event {
//!     NoteEvent::Written { note_id } => Ok(index(note_id).await?),
//!     other => Err(Failure::reject(format!("unexpected event type {}", other.event_type()))),
//! })
//! .await
//! # }
//! # async fn index(_: String) -> Result<(), std::io::Error> { Ok(()) }
//! ```

use ferrite_core::ports::{DeadLetterQueue, MessageVisibility};
use ferrite_core::{CloudEvent, Event, InvalidEvent, json};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::Limits;
use super::sqs::{self, Message};
use crate::{Failure, InitError, invocation, log};

#[derive(Deserialize)]
struct EventBridgeEvent<'a> {
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// Parses the domain event in the body of a message that an EventBridge rule has sent ("Events in Amazon EventBridge").
///
/// # Errors
/// Returns an error if the body does not contain an event with a known type and source.
pub fn from_eventbridge<E: Event>(body: &str) -> Result<CloudEvent<E>, InvalidEvent> {
    let event: EventBridgeEvent<'_> =
        json::check(body).and_then(serde_json::from_str).map_err(|error| InvalidEvent::Malformed(error.to_string()))?;
    CloudEvent::parse(event.detail.get())
}

/// Runs the function: passes the event in each message to `handler`, with the retry behavior of [`sqs::serve`].
///
/// A message without a domain event of the application is sent to the dead-letter queue with the reason. The handler
/// continues the trace and the correlation ID of the event.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<E, H, F>(
    queue: &(impl DeadLetterQueue + MessageVisibility),
    limits: Limits,
    handler: H,
) -> Result<(), InitError>
where
    E: Event,
    H: Fn(CloudEvent<E>) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    sqs::serve(queue, limits, move |message| handle_message(message, handler)).await
}

async fn handle_message<E, F>(message: Message, handler: impl FnOnce(CloudEvent<E>) -> F) -> Result<(), Failure>
where
    E: Event,
    F: Future<Output = Result<(), Failure>>,
{
    let event = from_eventbridge(&message.body).map_err(Failure::reject)?;
    let keys = Map::from_iter([("event_id".to_owned(), event.id.as_str().into())]);
    let trace_context = event.trace_context.clone();
    log_event(&event);
    invocation::in_record(keys, trace_context, handler(event)).await
}

/// Adds the event's ID, trace ID and correlation ID to the log line of the invocation.
pub fn log_event<E: Event>(event: &CloudEvent<E>) {
    let entry = json!({
        "event_id": event.id,
        "correlation_id": event.trace_context.correlation_id,
        "xray_trace_id": event.trace_context.traceparent.map(|traceparent| traceparent.xray_trace_id()),
    });
    log::append_to_list("events", entry);
}

#[cfg(test)]
mod tests {
    use ferrite_core::contract::bus::TestEvent;
    use ferrite_core::memory::RecordingQueue;
    use serde_json::Value;

    use super::*;
    use crate::invocation::testing::in_invocation;
    use crate::trace;

    fn message(detail: &Value) -> Value {
        let body = json!({ "source": "ferrite.test", "detail": detail }).to_string();
        json!({ "messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs" })
    }

    fn test_event() -> Value {
        json!({
            "specversion": "1.0", "id": "n1:2", "source": "ferrite.test", "subject": "n1", "time": "2026-11-22T22:00:00.120Z",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "correlationid": "import-7",
            "type": "ferrite.test.happened.v1", "data": {"note": "a note"}
        })
    }

    #[tokio::test]
    async fn continues_the_trace_and_correlation_id_of_the_event() {
        let handler = async |_: CloudEvent<TestEvent>| {
            let current = trace::context();
            let traceparent = current.traceparent.unwrap();
            assert_eq!(traceparent.xray_trace_id(), "1-0af76519-16cd43dd8448eb211c80319c");
            assert_ne!(traceparent.span_id, 0xb7ad_6b71_6920_3331, "should start a new span");
            assert_eq!(current.correlation_id.unwrap().as_str(), "import-7");
            Ok(())
        };
        let batch = json!({ "Records": [message(&test_event())] });
        let queue = RecordingQueue::default();
        let work = async {
            sqs::process(batch, &queue, Limits::default(), &|message| handle_message(message, handler)).await.unwrap()
        };
        let (response, invocation) = in_invocation(work).await;
        assert_eq!(response.counts.succeeded, 1);
        let entry = &invocation.state().fields["events"][0];
        assert_eq!((&entry["correlation_id"], &entry["event_id"]), (&json!("import-7"), &test_event()["id"]));
    }

    #[tokio::test]
    async fn rejects_messages_without_a_known_event() {
        for (key, value, reason) in [
            ("type", json!("ferrite.test.happened.v9"), "v9"),
            ("source", json!("elsewhere"), "elsewhere"),
            ("data", json!({}), "note"),
        ] {
            let mut event = test_event();
            event[key] = value;
            let queue = RecordingQueue::default();
            let handler =
                async |_: CloudEvent<TestEvent>| -> Result<(), Failure> { panic!("the handler should not be called") };
            let batch = json!({ "Records": [message(&event)] });
            let response =
                sqs::process(batch, &queue, Limits::default(), &|message| handle_message(message, handler)).await.unwrap();
            assert_eq!(response.counts.rejected, 1);
            assert!(queue.rejected()[0].1.contains(reason), "{:?}", queue.rejected());
        }
    }
}
