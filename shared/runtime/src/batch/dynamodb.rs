//! A handler behind a DynamoDB stream: record by record with [`serve`], or a batch at a time with [`serve_whole`].
//!
//! ```no_run
//! use ferrite_runtime::InitError;
//! use ferrite_runtime::batch::{Failure, Limits, dynamodb};
//! use serde_json::Value;
//!
//! # async fn serve(dead_letters: &impl ferrite_core::ports::DeadLetterQueue) -> Result<(), InitError> {
//! let key = |record: &Value| match record.pointer("/dynamodb/Keys/pk/S").and_then(Value::as_str) {
//!     Some(key) => Ok(key.to_owned()),
//!     None => Err(Failure::reject("the record has no key")),
//! };
//! dynamodb::serve(dead_letters, Limits::default(), key, async |key| index(key).await.map_err(Failure::retry)).await
//! # }
//! # async fn index(_: String) -> Result<(), std::io::Error> { Ok(()) }
//! ```
//!
//! Give the event source mapping a `MaximumRecordAgeInSeconds`, a `MaximumRetryAttempts` and an `OnFailure` destination:
//! its defaults try a record that fails again until it leaves the stream, a day later, with everything behind it waiting.

use ferrite_core::ports::DeadLetterQueue;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use super::stream::{self, Kind};
use super::{Failure, Limits, Response};
use crate::log::Outcome;
use crate::{InitError, event, panics};

/// "Using AWS Lambda with Amazon DynamoDB".
const DYNAMODB: Kind = Kind { event_source: "aws:dynamodb", sequence_number: "/dynamodb/SequenceNumber" };

/// Serves batches with `handler`, record after record in the stream's order, for as long as the function lives. `read`
/// says what a record is to the handler, or that it can never be handled.
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
        Box::pin(async move { stream::each(DYNAMODB, event.payload, dead_letters, limits, read, handler).await })
    });
    event::run(answer).await
}

/// Serves batches with `handler`, which has all records of a batch at once, for as long as the function lives. What it
/// cannot do for one it has not done for any: the whole batch is delivered again, by failing the invocation.
///
/// For work that is done many at a time and is safe to repeat, as publishing is.
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
        Box::pin(async move { whole(event.payload, dead_letters, read, handler).await })
    });
    event::run(answer).await
}

/// Hands the records of the event `batch`, as `read` makes them, to `handler` at once, and puts aside those that cannot
/// be read.
///
/// # Errors
/// It is no batch, the handler failed, or a record could not be put aside.
pub async fn whole<T, H, F>(
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    read: impl Fn(&Value) -> Result<T, Failure>,
    handler: H,
) -> Result<Response, event::Failure>
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
    // First what may fail for long: a batch that comes back during an outage must not leave its dead letters anew each time.
    if !readable.is_empty() {
        panics::catch(Box::pin(async { handler(readable).await })).await?.map_err(event::Failure::failed)?;
    }
    for (record, Failure::Reject(error) | Failure::Retry(error)) in unreadable {
        match stream::reject(&record.value, dead_letters, &*error).await {
            Outcome::Failed => return Err(event::Failure::failed("a record was not put aside")),
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

    /// Handles a batch record by record: the answer, and the keys that were handled.
    async fn answer_to(records: Value, queue: &RecordedQueue) -> (Value, Vec<String>) {
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
        let response = stream::each(DYNAMODB, batch, queue, Limits::default(), key, handler).await.unwrap();
        (serde_json::to_value(response).unwrap(), handled.into_inner().unwrap())
    }

    #[tokio::test]
    async fn the_shard_is_read_again_from_the_first_record_that_failed() {
        for fault in ["fails", "panics"] {
            let records = json!([record("1", "a"), record("2", fault), record("3", "b"), record("4", fault)]);
            let (answer, handled) = answer_to(records, &RecordedQueue::default()).await;
            assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
            assert_eq!(handled, ["a"], "in order, and no further than the failure");
        }
    }

    #[tokio::test]
    async fn what_can_never_be_handled_does_not_hold_up_the_shard() {
        let mut foreign = record("3", "b");
        foreign["eventSource"] = json!("aws:kinesis");
        let records = json!([record("1", "poison"), record("2", "a"), foreign, record("4", "c")]);
        let queue = RecordedQueue::default();
        let (answer, handled) = answer_to(records.clone(), &queue).await;
        assert_eq!(answer, json!({"batchItemFailures": []}));
        assert_eq!(handled, ["a", "c"]);
        let rejected = queue.rejected();
        assert_eq!(rejected[0], (records[0].to_string(), "never".to_owned()));
        assert!(rejected[1].1.contains("aws:kinesis"), "{}", rejected[1].1);
    }

    #[tokio::test]
    async fn a_whole_batch_is_handled_at_once_and_what_cannot_be_read_put_aside() {
        let queue = RecordedQueue::default();
        let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "2"}});
        let batch = json!({ "Records": [record("1", "a"), poison, record("3", "b")] });
        let handler = async |keys: Vec<String>| {
            assert_eq!(keys, ["a", "b"]);
            Ok(())
        };
        let response = whole(batch, &queue, key, handler).await.unwrap();
        assert_eq!((response.counts.succeeded, response.counts.rejected), (2, 1));
        assert_eq!(queue.rejected(), [(poison.to_string(), "no key".to_owned())]);
    }

    #[tokio::test]
    async fn a_whole_batch_that_fails_leaves_no_dead_letters() {
        for fault in ["fails", "panics"] {
            let queue = RecordedQueue::default();
            let poison = json!({"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1"}});
            let batch = json!({ "Records": [poison, record("2", fault)] });
            let handler = async |keys: Vec<String>| match keys[0].as_str() {
                "fails" => Err(Failure::retry("throttled")),
                _ => panic!("ouch"),
            };
            assert!(whole(batch, &queue, key, handler).await.is_err());
            assert_eq!(queue.rejected(), [], "put aside once, when the batch gets through");
        }
    }
}
