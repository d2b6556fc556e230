//! Handlers for DynamoDB streams: [`serve`] processes one record at a time, [`serve_batch`] one batch at a time.
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
//! Set `MaximumRecordAgeInSeconds`, `MaximumRetryAttempts` and an `OnFailure` destination on the event source mapping.
//! By default, Lambda retries a failing record until it expires after 24 hours, and the record blocks all records after
//! it.

use ferrite_core::ports::DeadLetterQueue;
use serde_json::Value;

use super::stream::{self, Kind};
use super::{Limits, Response};
use crate::log::Outcome;
use crate::{Failure, InitError, panics};

/// See "Using AWS Lambda with Amazon DynamoDB".
const DYNAMODB: Kind = Kind { event_source: "aws:dynamodb", sequence_number: "/dynamodb/SequenceNumber" };

/// Runs the function: passes each record to `handler`, in the order of the stream.
///
/// `read` converts a record to the handler's input, or rejects it.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
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
    let read = &read;
    let handler = &handler;
    super::run(Box::new(move |batch| Box::pin(stream::process(DYNAMODB, batch, dead_letters, limits, read, handler)))).await
}

/// Runs the function: passes all records of a batch to `handler` at once.
///
/// If the handler fails, the invocation fails and Lambda retries the whole batch. Use this for bulk operations that are
/// safe to repeat, such as publishing events.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve_batch<T, H, F>(
    dead_letters: &impl DeadLetterQueue,
    read: impl Fn(&Value) -> Result<T, Failure> + Sync,
    handler: H,
) -> Result<(), InitError>
where
    T: Send,
    H: Fn(Vec<T>) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let read = &read;
    let handler = &handler;
    super::run(Box::new(move |batch| Box::pin(process_batch(batch, dead_letters, read, handler)))).await
}

/// Reads the records of the event `batch` with `read` and passes them to `handler` at once. Sends records that cannot
/// be read to the dead-letter queue.
///
/// # Errors
/// Returns an error if the event is not a batch, the handler fails, or a record cannot be sent to the dead-letter
/// queue.
pub async fn process_batch<T, H, F>(
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    read: impl Fn(&Value) -> Result<T, Failure>,
    handler: H,
) -> Result<Response, Failure>
where
    H: Fn(Vec<T>) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let mut readable = Vec::new();
    let mut unreadable = Vec::new();
    let mut outcomes = Vec::new();
    for record in DYNAMODB.records(batch)? {
        match DYNAMODB.read(&record.value, &read) {
            Ok(read) => {
                readable.push(read);
                outcomes.push((record.id, Outcome::Succeeded));
            }
            Err(failure) => unreadable.push((record, failure)),
        }
    }
    // The handler runs first. Otherwise, a batch that is retried during an outage would send the same records to the
    // dead-letter queue on each attempt.
    if !readable.is_empty() {
        let handled = panics::catch(Box::pin(async { handler(readable).await })).await?;
        // Both kinds of failure retry the whole batch, because the handler does not report which record failed.
        handled.map_err(|(Failure::Retry(cause) | Failure::Reject(cause))| Failure::Retry(cause))?;
    }
    for (record, Failure::Reject(error) | Failure::Retry(error)) in unreadable {
        match stream::reject(&record.value, dead_letters, &*error).await {
            Outcome::Failed => return Err(Failure::retry("could not send a record to the dead-letter queue")),
            outcome => outcomes.push((record.id, outcome)),
        }
    }
    Ok(Response::of_stream(outcomes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::RecordingQueue;
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

    /// Processes a batch record by record. Returns the response and the keys that the handler processed.
    async fn process_records(records: Value, queue: &RecordingQueue) -> (Value, Vec<String>) {
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
            let (response, handled) = process_records(records, &RecordingQueue::default()).await;
            assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
            assert_eq!(handled, ["a"], "should process records in order and stop at the failure");
        }
    }

    #[tokio::test]
    async fn continues_after_rejected_records() {
        let mut foreign = record("3", "b");
        foreign["eventSource"] = json!("aws:kinesis");
        let records = json!([record("1", "poison"), record("2", "a"), foreign, record("4", "c")]);
        let queue = RecordingQueue::default();
        let (response, handled) = process_records(records.clone(), &queue).await;
        assert_eq!(response, json!({"batchItemFailures": []}));
        assert_eq!(handled, ["a", "c"]);
        let rejected = queue.rejected();
        assert_eq!(rejected[0], (records[0].to_string(), "never".to_owned()));
        assert!(rejected[1].1.contains("aws:kinesis"), "{}", rejected[1].1);
    }

    #[tokio::test]
    async fn passes_a_whole_batch_and_rejects_unreadable_records() {
        let queue = RecordingQueue::default();
        let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "2"}});
        let batch = json!({ "Records": [record("1", "a"), poison, record("3", "b")] });
        let handler = async |keys: Vec<String>| {
            assert_eq!(keys, ["a", "b"]);
            Ok(())
        };
        let response = process_batch(batch, &queue, key, handler).await.unwrap();
        assert_eq!((response.counts.succeeded, response.counts.rejected), (2, 1));
        assert_eq!(queue.rejected(), [(poison.to_string(), "no key".to_owned())]);
    }

    #[tokio::test]
    async fn rejects_no_records_when_a_whole_batch_fails() {
        for fault in ["fails", "panics"] {
            let queue = RecordingQueue::default();
            let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1"}});
            let batch = json!({ "Records": [poison, record("2", fault)] });
            let handler = async |keys: Vec<String>| match keys[0].as_str() {
                "fails" => Err(Failure::retry("throttled")),
                _ => panic!("ouch"),
            };
            assert!(process_batch(batch, &queue, key, handler).await.is_err());
            assert_eq!(queue.rejected(), [], "should reject records only after the handler succeeds");
        }
    }
}
