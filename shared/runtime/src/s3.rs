//! A handler of S3 event notifications: one call for each object.
//!
//! ```no_run
//! use ferrite_runtime::{Failure, InitError, s3};
//!
//! # async fn serve(dead_letters: &impl ferrite_core::ports::DeadLetterQueue) -> Result<(), InitError> {
//! s3::serve(dead_letters, async |object: s3::Object| {
//!     if !object.key.starts_with("uploads/") {
//!         return Err(Failure::reject("the object is not an upload"));
//!     }
//!     Ok(index(object.key).await?)
//! })
//! .await
//! # }
//! # async fn index(_: String) -> Result<(), std::io::Error> { Ok(()) }
//! ```
//!
//! S3 delivers a notification at least once ("Amazon S3 Event Notifications"), so the handler must be safe to repeat. Give
//! the function an on-failure destination: Lambda retries a failed invocation twice, then drops the event.

use std::error::Error;

use ferrite_core::TraceContext;
use ferrite_core::ports::DeadLetterQueue;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{Failure, InitError, event, invocation, log, metrics, panics};

/// The object that a notification is about ("Event message structure").
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded: notifications contain it form-encoded, with a space as `+` or `%20`.
    pub key: String,
    /// The size in bytes; `None` when the object was deleted.
    pub size: Option<u64>,
}

impl Object {
    /// An object, for the unit tests of handlers.
    #[must_use]
    pub fn new(bucket: impl Into<String>, key: impl Into<String>, size: Option<u64>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), size }
    }

    /// The object in one record of a notification.
    ///
    /// # Errors
    /// The record is not about an object, or its key is not UTF-8.
    fn from_record(record: &Value) -> Result<Self, Failure> {
        let text = |pointer: &str| {
            let text = record.pointer(pointer).and_then(Value::as_str);
            text.ok_or_else(|| Failure::reject(format!("the record has no {pointer}")))
        };
        let spaced = text("/s3/object/key")?.replace('+', " ");
        let key = percent_decode_str(&spaced).decode_utf8().map_err(Failure::reject)?.into_owned();
        let bucket = text("/s3/bucket/name")?.to_owned();
        Ok(Self { bucket, key, size: record.pointer("/s3/object/size").and_then(Value::as_u64) })
    }
}

/// Serves notifications with `handler` for as long as the function lives.
///
/// A record that is rejected, or is not about an object, goes to the dead-letter queue with the reason. If one is to be
/// retried, the invocation fails after the others were processed, and Lambda delivers the whole notification again.
///
/// # Errors
/// A setting is malformed, or the Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(dead_letters: &impl DeadLetterQueue, handler: H) -> Result<(), InitError>
where
    H: Fn(Object) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    event::serve(move |event: Value| process(event, dead_letters, handler)).await
}

async fn process<H, F>(event: Value, dead_letters: &impl DeadLetterQueue, handler: &H) -> Result<(), Failure>
where
    H: Fn(Object) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let Some(records) = event["Records"].as_array() else {
        return reject(&event, dead_letters, "the event is not a notification of S3".into()).await;
    };
    let (mut retry, mut rejected) = (None, Vec::new());
    for record in records {
        match process_record(record, handler).await {
            Ok(()) => {}
            Err(Failure::Reject(cause)) => rejected.push((record, cause)),
            Err(Failure::Retry(cause)) => {
                tracing::warn!(error = &*cause as &dyn Error, "a record failed and will be retried");
                retry.get_or_insert(cause);
            }
        }
    }
    // A notification that is delivered again must not leave its dead letters each time.
    if let Some(cause) = retry {
        return Err(Failure::Retry(cause));
    }
    for (record, cause) in rejected {
        reject(record, dead_letters, cause).await?;
    }
    Ok(())
}

async fn process_record<H, F>(record: &Value, handler: &H) -> Result<(), Failure>
where
    H: Fn(Object) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let object = Object::from_record(record)?;
    let keys = Map::from_iter([("object_key".to_owned(), object.key.as_str().into())]);
    // Boxed: the futures of SDK calls nest so deep that the compiler gives up on their layout.
    let work = Box::pin(async { handler(object).await });
    invocation::in_record(keys, TraceContext::default(), panics::catch(work)).await?
}

async fn reject(
    record: &Value,
    dead_letters: &impl DeadLetterQueue,
    cause: Box<dyn Error + Send + Sync>,
) -> Result<(), Failure> {
    tracing::error!(error = &*cause as &dyn Error, "a record goes to the dead-letter queue: it can never be processed");
    metrics::count(metrics::REJECTED);
    Ok(dead_letters.reject(&record.to_string(), &log::error_chain(&*cause)).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::RecordedQueue;
    use serde_json::json;

    use super::*;

    fn record(key: &str) -> Value {
        json!({"eventSource": "aws:s3", "s3": {"bucket": {"name": "notes"}, "object": {"key": key, "size": 7}}})
    }

    /// Processes a notification: whether it succeeded, the keys that were handled, and the dead letters with their reasons.
    async fn outcome(event: Value) -> (bool, Vec<String>, Vec<(String, String)>) {
        let (queue, keys) = (RecordedQueue::default(), Mutex::new(Vec::new()));
        let handler = async |object: Object| {
            assert_eq!((object.bucket.as_str(), object.size), ("notes", Some(7)));
            match object.key.as_str() {
                "fails" => return Err(Failure::retry("not now")),
                "poison" => return Err(Failure::reject("never")),
                "panics" => panic!("ouch"),
                _ => keys.lock().unwrap().push(object.key),
            }
            Ok(())
        };
        let succeeded = process(event, &queue, &handler).await.is_ok();
        (succeeded, keys.into_inner().unwrap(), queue.rejected())
    }

    #[tokio::test]
    async fn decodes_keys() {
        let (succeeded, keys, _) = outcome(json!({"Records": [record("a+b%2Fc%20d"), record("%C3%A9")]})).await;
        assert!(succeeded);
        assert_eq!(keys, ["a b/c d", "é"]);
    }

    #[tokio::test]
    async fn puts_rejected_records_into_the_dead_letter_queue() {
        let (succeeded, keys, rejected) =
            outcome(json!({"Records": [record("poison"), record("%ff"), {}, record("a")]})).await;
        assert!(succeeded);
        assert_eq!(keys, ["a"]);
        assert_eq!(rejected[0], (record("poison").to_string(), "never".to_owned()));
        assert!(rejected[1].1.contains("utf-8") && rejected[2].1.contains("/s3/object/key"), "{rejected:?}");
    }

    #[tokio::test]
    async fn fails_the_invocation_when_a_record_is_to_be_retried() {
        for fault in ["fails", "panics"] {
            let (succeeded, keys, rejected) =
                outcome(json!({"Records": [record(fault), record("poison"), record("a")]})).await;
            assert!(!succeeded);
            assert_eq!(keys, ["a"], "the other records are processed");
            assert_eq!(rejected, [], "they are rejected once, when the notification gets through");
        }
    }

    #[tokio::test]
    async fn rejects_events_that_are_not_notifications() {
        let (succeeded, _, rejected) = outcome(json!({"detail": {}})).await;
        assert!(succeeded);
        assert_eq!(rejected.len(), 1);
    }
}
