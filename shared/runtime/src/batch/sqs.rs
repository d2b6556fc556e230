//! Handlers for standard and FIFO SQS queues.
//!
//! ```no_run
//! use ferrite_runtime::batch::{Limits, sqs};
//! use ferrite_runtime::{Failure, InitError};
//!
//! # async fn serve(queue: &(impl ferrite_core::ports::DeadLetterQueue + ferrite_core::ports::MessageVisibility)) -> Result<(), InitError> {
//! sqs::serve(queue, Limits::default(), async |message| {
//!     let copies: u32 = message.body.parse().map_err(Failure::reject)?;
//!     Ok(print(copies).await?)
//! })
//! .await
//! # }
//! # async fn print(_: u32) -> Result<(), std::io::Error> { Ok(()) }
//! ```

use std::error::Error;

use ferrite_core::ports::{DeadLetterQueue, MessageVisibility};
use ferrite_core::{TraceContext, TraceParent};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Limits, Response, engine};
use crate::log::Outcome;
use crate::{Failure, InitError, invocation, log};

/// An SQS message.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The message ID.
    pub message_id: String,
    /// The receipt handle of this delivery, which is needed to change its visibility timeout.
    pub receipt_handle: String,
    /// The message body, unchanged.
    pub body: String,
    #[serde(default)]
    attributes: Attributes,
    event_source: String,
    #[serde(default, rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    receive_count: Option<String>,
    #[serde(rename = "MessageGroupId")]
    group: Option<String>,
    #[serde(rename = "AWSTraceHeader")]
    trace: Option<String>,
}

impl Message {
    /// Receive count of the message; 1 on first delivery.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.attributes.receive_count.as_deref().and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// The message group in which order must be preserved; `None` for a standard queue, where message groups are for
    /// fairness and are not ordered.
    fn message_group(&self) -> Option<&str> {
        self.attributes.group.as_deref().filter(|_| self.event_source_arn.ends_with(".fifo"))
    }

    fn trace_context(&self) -> TraceContext {
        let traceparent = self.attributes.trace.as_deref().and_then(TraceParent::from_xray);
        TraceContext { traceparent, correlation_id: None }
    }
}

/// Maximum retry delay in seconds.
const MAX_DELAY: u32 = 900;

/// Runs the function: passes each message to `handler`.
///
/// A failed message is retried after 1, 2, 4 … seconds (at most 15 minutes) until the queue's redrive policy moves it
/// to the dead-letter queue. In a FIFO queue, all later messages of its message group are retried after it.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(
    queue: &(impl DeadLetterQueue + MessageVisibility),
    limits: Limits,
    handler: H,
) -> Result<(), InitError>
where
    H: Fn(Message) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    super::run(Box::new(move |batch| Box::pin(process(batch, queue, limits, handler)))).await
}

/// Passes each message of the SQS event `batch` to `handler`. The response identifies the messages to retry.
///
/// # Errors
/// Returns an error if the event is not a batch or a record has no message ID. The response cannot identify such a
/// record, so the whole batch is retried.
pub async fn process<H, F>(
    batch: Value,
    queue: &(impl DeadLetterQueue + MessageVisibility),
    limits: Limits,
    handler: &H,
) -> Result<Response, Failure>
where
    H: Fn(Message) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let mut ids = Vec::new();
    let mut groups: Vec<MessageGroup> = Vec::new();
    for (index, record) in engine::records(batch)?.into_iter().enumerate() {
        let id = record["messageId"].as_str().filter(|id| !id.is_empty());
        ids.push(id.ok_or_else(|| Failure::retry("a record of the batch has no message ID"))?.to_owned());
        let message = read(record);
        let group = message.as_ref().ok().and_then(Message::message_group).map(ToOwned::to_owned);
        match groups.iter_mut().find(|found| group.is_some() && found.id == group) {
            Some(found) => found.messages.push((index, message)),
            None => groups.push(MessageGroup { id: group, messages: vec![(index, message)] }),
        }
    }
    let groups = groups.into_iter().map(|group| group.messages).collect();
    let outcomes = engine::process_groups(groups, limits, |message| async move {
        match message {
            Ok(message) => process_message(message, queue, limits, handler).await,
            Err(reason) => {
                tracing::error!(reason, "a record is not an SQS message");
                Outcome::Failed
            }
        }
    })
    .await;
    Ok(Response::new(ids.into_iter().zip(outcomes)))
}

/// Messages that must be processed in order, with their index in the batch. It contains either a message group of a
/// FIFO queue, or a single message.
struct MessageGroup {
    id: Option<String>,
    messages: Vec<(usize, Result<Message, String>)>,
}

fn read(record: Value) -> Result<Message, String> {
    let message = Message::deserialize(record).map_err(|error| error.to_string())?;
    if message.event_source != "aws:sqs" {
        return Err(format!("unexpected event source {:?}", message.event_source));
    }
    Ok(message)
}

async fn process_message<H, F>(
    message: Message,
    queue: &(impl DeadLetterQueue + MessageVisibility),
    limits: Limits,
    handler: &H,
) -> Outcome
where
    H: Fn(Message) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let receive_count = message.receive_count();
    let keys = [("message_id", Value::from(message.message_id.as_str())), ("delivery", receive_count.into())];
    let keys: Map<String, Value> = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    invocation::in_record(keys, message.trace_context(), async {
        let name = format!("message {}", message.message_id);
        // Boxed because futures of nested SDK calls can exceed the compiler's limits for type layout.
        match engine::process_record(name, limits, Box::pin(async { handler(message.clone()).await })).await {
            Ok(()) => Outcome::Succeeded,
            Err(Failure::Reject(error)) => reject(&message, queue, &*error).await,
            Err(Failure::Retry(error)) => {
                delay(&message, queue, &*error).await;
                Outcome::Failed
            }
        }
    })
    .await
}

async fn reject(message: &Message, queue: &impl DeadLetterQueue, error: &(dyn Error + Send + Sync + 'static)) -> Outcome {
    tracing::error!(error = error as &dyn Error, "a message was rejected and is sent to the dead-letter queue");
    match engine::finalize(queue.reject(&message.body, &log::error_chain(error))).await {
        Ok(()) => Outcome::Rejected,
        // The message is delivered again, and rejected again.
        Err(error) => {
            tracing::error!(error = &*error as &dyn Error, "could not send the message to the dead-letter queue");
            Outcome::Failed
        }
    }
}

async fn delay(message: &Message, queue: &impl MessageVisibility, error: &(dyn Error + Send + Sync + 'static)) {
    let doublings = message.receive_count().saturating_sub(1);
    let retry_in_seconds = 1_u32.checked_shl(doublings).unwrap_or(MAX_DELAY).min(MAX_DELAY);
    tracing::warn!(error = error as &dyn Error, retry_in_seconds, "a message failed and will be retried");
    // If this fails, the message is delivered again after the queue's visibility timeout, which is longer.
    if let Err(error) = engine::finalize(queue.delay(&message.receipt_handle, retry_in_seconds)).await {
        tracing::warn!(error = &*error as &dyn Error, "could not set the retry delay");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use ferrite_core::memory::RecordingQueue;
    use ferrite_core::ports::PortError;
    use serde_json::json;

    use super::*;
    use crate::invocation::testing::{context_with_timeout, in_invocation_with};

    fn record(id: &str, body: &str) -> Value {
        json!({
            "messageId": id, "receiptHandle": format!("receipt {id}"), "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:1:notes", "attributes": {"ApproximateReceiveCount": "3"},
        })
    }

    fn in_group(id: &str, body: &str, group: &str) -> Value {
        let mut record = record(id, body);
        record["eventSourceARN"] = json!("arn:aws:sqs:eu-west-1:1:notes.fifo");
        record["attributes"]["MessageGroupId"] = json!(group);
        record
    }

    async fn handle(message: Message) -> Result<(), Failure> {
        match message.body.as_str() {
            "fails" => Err(Failure::retry("not now")),
            "poison" => Err(Failure::reject("never")),
            "panics" => panic!("ouch"),
            "hangs" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn process_records(records: Value, queue: &RecordingQueue) -> Value {
        let response = process(json!({ "Records": records }), queue, Limits::default(), &handle).await.unwrap();
        serde_json::to_value(response).unwrap()
    }

    fn failures(ids: &[&str]) -> Value {
        let items: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
        json!({ "batchItemFailures": items })
    }

    #[tokio::test]
    async fn retries_only_failed_messages_with_increasing_delays() {
        let queue = RecordingQueue::default();
        let records = json!([record("1", "fine"), record("2", "fails"), record("3", "panics"), record("4", "fine")]);
        assert_eq!(process_records(records, &queue).await, failures(&["2", "3"]));
        let mut delayed = queue.delayed();
        delayed.sort_unstable();
        let expected = [("receipt 2".to_owned(), 4), ("receipt 3".to_owned(), 4)];
        assert_eq!(delayed, expected, "should retry after 4 s on the third delivery");
        assert_eq!(queue.rejected(), []);
    }

    #[tokio::test]
    async fn reports_every_message_if_all_fail() {
        let records = json!([record("1", "fails"), record("2", "panics")]);
        assert_eq!(process_records(records, &RecordingQueue::default()).await, failures(&["1", "2"]));
    }

    #[tokio::test]
    async fn sends_rejected_messages_to_the_dead_letter_queue_immediately() {
        let queue = RecordingQueue::default();
        let records = json!([record("1", "poison"), record("2", "fine")]);
        assert_eq!(process_records(records, &queue).await, failures(&[]));
        assert_eq!(queue.rejected(), [("poison".to_owned(), "never".to_owned())]);
    }

    #[tokio::test]
    async fn fails_only_records_that_are_not_sqs_messages() {
        let mut foreign = record("2", "fine");
        foreign["eventSource"] = json!("aws:kinesis");
        let records = json!([record("1", "fine"), foreign, {"messageId": "3", "eventSource": "aws:sqs"}]);
        assert_eq!(process_records(records, &RecordingQueue::default()).await, failures(&["2", "3"]));
    }

    #[tokio::test]
    async fn fails_the_invocation_if_records_cannot_be_identified() {
        let queue = RecordingQueue::default();
        for event in [json!({}), json!("text"), json!({"Records": {}}), json!({"Records": [{"body": "x"}]})] {
            assert!(process(event.clone(), &queue, Limits::default(), &handle).await.is_err(), "{event}");
        }
    }

    #[tokio::test]
    async fn stops_only_the_message_group_of_a_failed_message() {
        let records = json!([
            in_group("a1", "fine", "a"),
            in_group("a2", "fails", "a"),
            in_group("b1", "fine", "b"),
            in_group("a3", "fine", "a"),
            in_group("b2", "poison", "b"),
            in_group("b3", "fine", "b"),
        ]);
        let queue = RecordingQueue::default();
        assert_eq!(process_records(records, &queue).await, failures(&["a2", "a3"]));
        assert_eq!(queue.delayed(), [("receipt a2".to_owned(), 4)]);
    }

    #[tokio::test]
    async fn ignores_message_groups_in_standard_queues() {
        let mut records = json!([in_group("1", "fails", "a"), in_group("2", "fine", "a")]);
        for record in records.as_array_mut().unwrap() {
            record["eventSourceARN"] = json!("arn:aws:sqs:eu-west-1:1:notes");
        }
        assert_eq!(process_records(records, &RecordingQueue::default()).await, failures(&["1"]));
    }

    #[tokio::test(start_paused = true)]
    async fn fails_only_the_message_that_exceeds_the_deadline() {
        let work = async {
            let records = json!([record("1", "hangs"), record("2", "fine")]);
            process_records(records, &RecordingQueue::default()).await
        };
        let (response, invocation) = in_invocation_with(context_with_timeout(Duration::from_secs(5)), work).await;
        assert_eq!(response, failures(&["1"]));
        assert_eq!(invocation.running(), ["a test"], "should remove the message from the list of running work");
    }

    #[tokio::test(start_paused = true)]
    async fn an_unresponsive_queue_does_not_fail_other_messages() {
        struct UnresponsiveQueue;

        impl DeadLetterQueue for UnresponsiveQueue {
            async fn reject(&self, _: &str, _: &str) -> Result<(), PortError> {
                std::future::pending().await
            }
        }

        impl MessageVisibility for UnresponsiveQueue {
            async fn delay(&self, _: &str, _: u32) -> Result<(), PortError> {
                std::future::pending().await
            }
        }

        let batch = json!({ "Records": [record("1", "hangs"), record("2", "fine"), record("3", "poison")] });
        let handled = async { process(batch, &UnresponsiveQueue, Limits::default(), &handle).await.unwrap() };
        // Pausing tokio's clock does not pause the system clock, which determines the deadline of the invocation.
        let with_timeout = tokio::time::timeout(Duration::from_secs(60), handled);
        let (response, _) = in_invocation_with(context_with_timeout(Duration::from_secs(5)), with_timeout).await;
        assert_eq!(serde_json::to_value(response.unwrap()).unwrap(), failures(&["1", "3"]));
    }

    #[tokio::test(start_paused = true)]
    async fn applies_the_timeout_per_record() {
        let limits = Limits { timeout: Some(Duration::from_secs(1)), ..Limits::default() };
        let batch = json!({ "Records": [record("1", "hangs"), record("2", "fine")] });
        let response = process(batch, &RecordingQueue::default(), limits, &handle).await.unwrap();
        assert_eq!(serde_json::to_value(response).unwrap(), failures(&["1"]));
    }

    #[tokio::test(start_paused = true)]
    async fn limits_the_number_of_concurrent_messages() {
        let running = AtomicUsize::new(0);
        let max_concurrency = Mutex::new(0);
        let slow = async |_: Message| {
            let concurrency = running.fetch_add(1, Ordering::Relaxed) + 1;
            let before = *max_concurrency.lock().unwrap();
            *max_concurrency.lock().unwrap() = before.max(concurrency);
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        };
        let records: Vec<_> = (0..9).map(|n| record(&n.to_string(), "x")).collect();
        let limits = Limits { concurrency: 3.try_into().unwrap(), timeout: None };
        let response = process(json!({ "Records": records }), &RecordingQueue::default(), limits, &slow).await.unwrap();
        assert_eq!((response.counts.succeeded, *max_concurrency.lock().unwrap()), (9, 3));
    }
}
