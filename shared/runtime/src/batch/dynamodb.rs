//! A handler behind a DynamoDB stream: record by record with [`serve`], or a batch at a time with [`serve_whole`].
//!
//! ```no_run
//! use ferrite_runtime::{Failure, InitError};
//! use ferrite_runtime::batch::{Limits, dynamodb};
//! use serde_json::Value;
//!
//! # async fn serve(dead_letters: &impl ferrite_core::ports::DeadLetterQueue) -> Result<(), InitError> {
//! let key = |record: &Value| match record.pointer("/dynamodb/Keys/pk/S").and_then(Value::as_str) {
//!     Some(key) => Ok(key.to_owned()),
//!     None => Err(Failure::reject("the record has no key")),
//! };
//! dynamodb::serve(dead_letters, Limits::default(), key, async |key| Ok(index(key).await?)).await
//! # }
//! # async fn index(_: String) -> Result<(), std::io::Error> { Ok(()) }
//! ```
//!
//! Give the event source mapping a `MaximumRecordAgeInSeconds`, a `MaximumRetryAttempts` and an `OnFailure` destination:
//! by default a failing record is retried until it leaves the stream after a day, and blocks the records behind it.

use ferrite_core::ports::DeadLetterQueue;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use super::stream::{self, Kind};
use super::{Limits, Response};
use crate::log::Outcome;
use crate::{Failure, InitError, event, panics};

/// "Using AWS Lambda with Amazon DynamoDB".
const DYNAMODB: Kind = Kind { event_source: "aws:dynamodb", sequence_number: "/dynamodb/SequenceNumber" };

/// Serves batches with `handler`, record by record in the order of the stream, for as long as the function lives. `read`
/// turns a record into what the handler takes, or rejects it.
///
/// # Errors
/// A setting is malformed, or the Lambda Runtime API cannot be reached.
pub async fn serve<T, H, F>(
    dead_letters: &impl DeadLetterQueue,
    limits: Limits,
    read: impl Fn(&Value) -> Result<T, Failure> + Sync,
    handler: H,
) -> Result<(), InitError>
where
    T: Send,
    H: Fn(T) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let (read, handler) = (&read, &handler);
    let answer = service_fn(move |event: LambdaEvent<Value>| {
        Box::pin(async move { stream::process(DYNAMODB, event.payload, dead_letters, limits, read, handler).await })
    });
    event::run(answer).await
}

/// Serves batches with `handler`, which takes all records of a batch at once, for as long as the function lives. When it
/// fails, the invocation fails and the whole batch is delivered again.
///
/// For work that is done in bulk and is safe to repeat, such as publishing events.
///
/// # Errors
/// A setting is malformed, or the Lambda Runtime API cannot be reached.
pub async fn serve_whole<T, H, F>(
    dead_letters: &impl DeadLetterQueue,
    read: impl Fn(&Value) -> Result<T, Failure> + Sync,
    handler: H,
) -> Result<(), InitError>
where
    T: Send,
    H: Fn(Vec<T>) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let (read, handler) = (&read, &handler);
    let answer = service_fn(move |event: LambdaEvent<Value>| {
        Box::pin(async move { process_whole(event.payload, dead_letters, read, handler).await })
    });
    event::run(answer).await
}

/// Passes the records of the event `batch`, read with `read`, to `handler` at once, and puts those that cannot be read into
/// the dead-letter queue.
///
/// # Errors
/// The event is not a batch, the handler failed, or the dead-letter queue did not take a record.
pub async fn process_whole<T, H, F>(
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    read: impl Fn(&Value) -> Result<T, Failure>,
    handler: H,
) -> Result<Response, Failure>
where
    H: Fn(Vec<T>) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let (mut readable, mut unreadable, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for record in DYNAMODB.records(batch)? {
        match DYNAMODB.read(&record.value, &read) {
            Ok(read) => {
                readable.push(read);
                outcomes.push((record.id, Outcome::Succeeded));
            }
            Err(failure) => unreadable.push((record, failure)),
        }
    }
    // The handler first: a batch that is delivered again during an outage must not leave its dead letters each time.
    if !readable.is_empty() {
        let handled = panics::catch(Box::pin(async { handler(readable).await })).await?;
        // The whole batch is delivered again whatever the failure: the handler has not named a record.
        handled.map_err(|(Failure::Retry(cause) | Failure::Reject(cause))| Failure::Retry(cause))?;
    }
    for (record, Failure::Reject(error) | Failure::Retry(error)) in unreadable {
        match stream::reject(&record.value, dead_letters, &*error).await {
            Outcome::Failed => return Err(Failure::retry("the dead-letter queue did not take a record")),
            outcome => outcomes.push((record.id, outcome)),
        }
    }
    Ok(Response::of_stream(outcomes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::RecordedQueue;
    use serde_json::json;

    use super::*;

    fn record(number: &str, key: &str) -> Value {
        let change = json!({ "SequenceNumber": number, "Keys": {"pk": {"S": key}} });
        json!({ "eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": change })
    }

    fn key(record: &Value) -> Result<String, Failure> {
        let key = record.pointer("/dynamodb/Keys/pk/S").and_then(Value::as_str);
        key.map(ToOwned::to_owned).ok_or_else(|| Failure::reject("no key"))
    }

    /// Processes a batch record by record: the response, and the keys that were handled.
    async fn process_records(records: Value, queue: &RecordedQueue) -> (Value, Vec<String>) {
        let handled = Mutex::new(Vec::new());
        let handler = async |key: String| {
            match key.as_str() {
                "fails" => return Err(Failure::retry("not now")),
                "panics" => panic!("ouch"),
                "poison" => return Err(Failure::reject("never")),
                _ => handled.lock().unwrap().push(key),
            }
            Ok(())
        };
        let batch = json!({ "Records": records });
        let response = stream::process(DYNAMODB, batch, queue, Limits::default(), key, handler).await.unwrap();
        (serde_json::to_value(response).unwrap(), handled.into_inner().unwrap())
    }

    #[tokio::test]
    async fn reports_the_first_failed_record_and_stops_there() {
        for fault in ["fails", "panics"] {
            let records = json!([record("1", "a"), record("2", fault), record("3", "b"), record("4", fault)]);
            let (answer, handled) = process_records(records, &RecordedQueue::default()).await;
            assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
            assert_eq!(handled, ["a"], "in order, and no further than the failure");
        }
    }

    #[tokio::test]
    async fn continues_after_rejected_records() {
        let mut foreign = record("3", "b");
        foreign["eventSource"] = json!("aws:kinesis");
        let records = json!([record("1", "poison"), record("2", "a"), foreign, record("4", "c")]);
        let queue = RecordedQueue::default();
        let (answer, handled) = process_records(records.clone(), &queue).await;
        assert_eq!(answer, json!({"batchItemFailures": []}));
        assert_eq!(handled, ["a", "c"]);
        let rejected = queue.rejected();
        assert_eq!(rejected[0], (records[0].to_string(), "never".to_owned()));
        assert!(rejected[1].1.contains("aws:kinesis"), "{}", rejected[1].1);
    }

    #[tokio::test]
    async fn passes_a_whole_batch_and_rejects_unreadable_records() {
        let queue = RecordedQueue::default();
        let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "2"}});
        let batch = json!({ "Records": [record("1", "a"), poison, record("3", "b")] });
        let handler = async |keys: Vec<String>| {
            assert_eq!(keys, ["a", "b"]);
            Ok(())
        };
        let response = process_whole(batch, &queue, key, handler).await.unwrap();
        assert_eq!((response.counts.succeeded, response.counts.rejected), (2, 1));
        assert_eq!(queue.rejected(), [(poison.to_string(), "no key".to_owned())]);
    }

    #[tokio::test]
    async fn leaves_no_dead_letters_when_a_whole_batch_fails() {
        for fault in ["fails", "panics"] {
            let queue = RecordedQueue::default();
            let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1"}});
            let batch = json!({ "Records": [poison, record("2", fault)] });
            let handler = async |keys: Vec<String>| match keys[0].as_str() {
                "fails" => Err(Failure::retry("throttled")),
                _ => panic!("ouch"),
            };
            assert!(process_whole(batch, &queue, key, handler).await.is_err());
            assert_eq!(queue.rejected(), [], "they are rejected once, when the batch gets through");
        }
    }
}
