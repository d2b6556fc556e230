//! Handlers for S3 event notifications. The handler is called once for each object.
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
//! S3 delivers each notification at least once ("Amazon S3 Event Notifications"), so the handler must be idempotent.
//! Configure an on-failure destination for the function. Without one, Lambda drops the event after two failed retries.

use std::error::Error;

use ferrite_core::TraceContext;
use ferrite_core::ports::DeadLetterQueue;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{Failure, InitError, event, invocation, log, metrics, panics};

/// The object in an event notification ("Event message structure").
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// Name of the bucket.
    pub bucket: String,
    /// The decoded object key. In the notification, it is URL-encoded, with spaces as `+` or `%20`.
    pub key: String,
    /// Size in bytes; `None` if the object was deleted.
    pub size: Option<u64>,
}

impl Object {
    /// Creates an object. Use it in unit tests of handlers.
    #[must_use]
    pub fn new(bucket: impl Into<String>, key: impl Into<String>, size: Option<u64>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), size }
    }

    /// Reads the object in one record of a notification.
    ///
    /// # Errors
    /// Returns an error if the record does not contain an object, or if its key is not UTF-8.
    fn from_record(record: &Value) -> Result<Self, Failure> {
        let text = |pointer: &str| {
            let text = record.pointer(pointer).and_then(Value::as_str);
            text.ok_or_else(|| Failure::reject(format!("the record has no {pointer}")))
        };
        let encoded = text("/s3/object/key")?.replace('+', " ");
        let key = percent_decode_str(&encoded).decode_utf8().map_err(Failure::reject)?.into_owned();
        let bucket = text("/s3/bucket/name")?.to_owned();
        Ok(Self { bucket, key, size: record.pointer("/s3/object/size").and_then(Value::as_u64) })
    }
}

/// Runs the function: passes the object in each record to `handler`.
///
/// A record that the handler rejects, or that does not contain an object, is sent to the dead-letter queue with the
/// reason. If the handler returns [`Failure::Retry`] for a record, the invocation fails after all other records have
/// been processed, and Lambda retries the whole notification.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(dead_letters: &impl DeadLetterQueue, handler: H) -> Result<(), InitError>
where
    H: Fn(Object) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    event::run_without_response(Box::new(move |event| Box::pin(process(event, dead_letters, handler)))).await
}

async fn process<H, F>(event: Value, dead_letters: &impl DeadLetterQueue, handler: &H) -> Result<(), Failure>
where
    H: Fn(Object) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let Some(records) = event["Records"].as_array() else {
        return reject(&event, dead_letters, "the event is not an S3 event notification".into()).await;
    };
    let mut retry = None;
    let mut rejected = Vec::new();
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
    // Rejected records are not sent to the dead-letter queue before a retry. Otherwise, each retry would send them
    // again.
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
    // Boxed because futures of nested SDK calls can exceed the compiler's limits for type layout.
    let work = Box::pin(async { handler(object).await });
    invocation::in_record(keys, TraceContext::default(), panics::catch(work)).await?
}

async fn reject(
    record: &Value,
    dead_letters: &impl DeadLetterQueue,
    cause: Box<dyn Error + Send + Sync>,
) -> Result<(), Failure> {
    tracing::error!(error = &*cause as &dyn Error, "a record was rejected and is sent to the dead-letter queue");
    metrics::count(metrics::REJECTED);
    Ok(dead_letters.reject(&record.to_string(), &log::error_chain(&*cause)).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::RecordingQueue;
    use serde_json::json;

    use super::*;

    fn record(key: &str) -> Value {
        json!({"eventSource": "aws:s3", "s3": {"bucket": {"name": "notes"}, "object": {"key": key, "size": 7}}})
    }

    /// Processes a notification. Returns whether the invocation succeeded, the keys that the handler processed, and the
    /// dead letters with their reasons.
    async fn process_notification(event: Value) -> (bool, Vec<String>, Vec<(String, String)>) {
        let queue = RecordingQueue::default();
        let keys = Mutex::new(Vec::new());
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
    async fn decodes_object_keys() {
        let (succeeded, keys, _) = process_notification(json!({"Records": [record("a+b%2Fc%20d"), record("%C3%A9")]})).await;
        assert!(succeeded);
        assert_eq!(keys, ["a b/c d", "é"]);
    }

    #[tokio::test]
    async fn sends_rejected_records_to_the_dead_letter_queue() {
        let (succeeded, keys, rejected) =
            process_notification(json!({"Records": [record("poison"), record("%ff"), {}, record("a")]})).await;
        assert!(succeeded);
        assert_eq!(keys, ["a"]);
        assert_eq!(rejected[0], (record("poison").to_string(), "never".to_owned()));
        assert!(rejected[1].1.contains("utf-8") && rejected[2].1.contains("/s3/object/key"), "{rejected:?}");
    }

    #[tokio::test]
    async fn fails_the_invocation_if_a_record_needs_a_retry() {
        for fault in ["fails", "panics"] {
            let (succeeded, keys, rejected) =
                process_notification(json!({"Records": [record(fault), record("poison"), record("a")]})).await;
            assert!(!succeeded);
            assert_eq!(keys, ["a"], "should process the other records");
            assert_eq!(rejected, [], "should reject records only if no record needs a retry");
        }
    }

    #[tokio::test]
    async fn rejects_events_that_are_not_notifications() {
        let (succeeded, _, rejected) = process_notification(json!({"detail": {}})).await;
        assert!(succeeded);
        assert_eq!(rejected.len(), 1);
    }
}
