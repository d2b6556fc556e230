//! A handler behind an SQS queue: each message alone, and only the failed ones delivered again.

use std::convert::Infallible;
use std::error::Error;

use ferrite_domain::ports::WorkQueue;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{InitError, log, panics};

/// A message, with what handlers need of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Names the message.
    pub message_id: String,
    /// Names this delivery of it, for whoever changes its visibility.
    pub receipt_handle: String,
    /// What was sent.
    pub body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: Option<String>,
}

impl Message {
    /// The how-manieth delivery this is, counted from 1.
    pub fn delivery(&self) -> u32 {
        self.attributes.approximate_receive_count.as_deref().and_then(|count| count.parse().ok()).unwrap_or(1)
    }
}

/// The answer that tells the event source mapping which messages to deliver again ("Implementing partial batch
/// responses"); the mapping must have `ReportBatchItemFailures`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go better later: the message is delivered again, after a back-off of its own.
    #[error("{0}")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It can never be handled: the message goes to the dead-letter queue at once, with the reason.
    #[error("{0}")]
    Reject(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// To be tried again.
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(error.into())
    }

    /// Not to be tried again.
    pub fn reject(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Reject(error.into())
    }
}

/// The longest back-off, in seconds.
const LONGEST_DELAY: u32 = 900;

/// Serves batches, message after message, with `handler` for as long as the function lives.
///
/// A message that failed is delivered again after 1, 2, 4 … seconds (at most 15 minutes), until the queue's redrive
/// policy moves it to the dead-letter queue; a panic counts as such a failure. A message that can never be handled goes
/// to the dead-letter queue at once. The others of its batch are done with either way.
///
/// # Errors
/// The Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(queue: &impl WorkQueue, handler: H) -> Result<(), InitError>
where
    H: Fn(Message) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let handler = &handler;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        log::begin(&event.context);
        Ok::<_, Infallible>(each(event.payload, queue, handler).await)
    }))
    .await?;
    Ok(())
}

/// Hands each message of the SQS event `batch` to `handler` and tells which are to be delivered again.
pub async fn each<H, F>(batch: Value, queue: &impl WorkQueue, handler: &H) -> BatchResponse
where
    H: Fn(Message) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let mut response = BatchResponse::default();
    for record in batch["Records"].as_array().into_iter().flatten() {
        let id = record["messageId"].as_str().unwrap_or_default().to_owned();
        let Ok(message) = Message::deserialize(record) else {
            // Not what SQS sends, so nothing that could be put into a queue: whatever sent it gets it back.
            log::error("a record is no SQS message", json!({ "message_id": id }));
            response.batch_item_failures.push(BatchItemFailure { item_identifier: id });
            continue;
        };
        if !handled(&message, queue, handler).await {
            response.batch_item_failures.push(BatchItemFailure { item_identifier: id });
        }
    }
    response
}

/// Whether the message is done with, because it was handled or because it never can be.
async fn handled<H, F>(message: &Message, queue: &impl WorkQueue, handler: &H) -> bool
where
    H: Fn(Message) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    // Boxed: the futures of SDK calls nest so deep that the compiler gives up on laying out what holds them by value.
    let failure = match panics::caught(Box::pin(handler(message.clone()))).await {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => failure,
        Err(panicked) => Failure::retry(panicked),
    };
    let (id, delivery) = (message.message_id.as_str(), message.delivery());
    let fields = |error| json!({ "message_id": id, "delivery": delivery, "error": error });
    match failure {
        Failure::Reject(error) => {
            let reason = log::chain(&*error);
            log::error("a message cannot be handled and goes to the dead-letter queue", fields(reason.clone()));
            match queue.reject(&message.body, &reason).await {
                Ok(()) => true,
                // Delivered again, it will be rejected again.
                Err(error) => {
                    log::error("the dead-letter queue did not take the message", fields(log::chain(&error)));
                    false
                }
            }
        }
        Failure::Retry(error) => {
            let seconds = 1_u32.checked_shl(delivery.saturating_sub(1)).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
            let mut fields = fields(log::chain(&*error));
            fields["retry_in_seconds"] = seconds.into();
            log::warning("a message failed and will be delivered again", fields);
            // Without the delay it comes back when the queue's visibility timeout ends, which is only later.
            if let Err(error) = queue.delay(&message.receipt_handle, seconds).await {
                log::warning("the back-off could not be set", json!({ "message_id": id, "error": log::chain(&error) }));
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_domain::memory::RecordedQueue;

    use super::*;

    fn record(id: &str, body: &str) -> Value {
        let attributes = json!({"ApproximateReceiveCount": "3"});
        json!({"messageId": id, "receiptHandle": format!("receipt {id}"), "body": body, "attributes": attributes})
    }

    async fn handle(message: Message) -> Result<(), Failure> {
        match message.body.as_str() {
            "fails" => Err(Failure::retry("not now")),
            "poison" => Err(Failure::reject("never")),
            "panics" => panic!("ouch"),
            _ => Ok(()),
        }
    }

    #[tokio::test]
    async fn only_what_failed_is_delivered_again_and_later_each_time() {
        let queue = RecordedQueue::default();
        let batch = json!({"Records": [
            record("1", "fine"), record("2", "fails"), record("3", "panics"), record("4", "fine"), {"messageId": "5"},
        ]});
        let response = serde_json::to_value(each(batch, &queue, &handle).await).unwrap();
        let failed = |id| json!({"itemIdentifier": id});
        assert_eq!(response, json!({"batchItemFailures": [failed("2"), failed("3"), failed("5")]}));
        assert_eq!(
            queue.delayed(),
            [("receipt 2".to_owned(), 4), ("receipt 3".to_owned(), 4)],
            "the third delivery waits 4 s"
        );
        assert_eq!(queue.rejected(), []);
    }

    #[tokio::test]
    async fn what_can_never_be_handled_goes_to_the_dead_letter_queue_at_once() {
        let queue = RecordedQueue::default();
        let response = each(json!({"Records": [record("1", "poison"), record("2", "fine")]}), &queue, &handle).await;
        assert_eq!(serde_json::to_value(response).unwrap(), json!({"batchItemFailures": []}));
        assert_eq!(queue.rejected(), [("poison".to_owned(), "never".to_owned())]);
    }
}
