//! The code shared by all kinds of streams: processes the records of one shard in order.

use std::error::Error;

use ferrite_core::TraceContext;
use ferrite_core::ports::DeadLetterQueue;
use serde_json::{Map, Value};

use super::{Limits, Response, engine};
use crate::log::{self, Outcome};
use crate::{Failure, invocation};

/// A kind of stream: the `eventSource` of its records, and the JSON pointer to their sequence number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) event_source: &'static str,
    pub(super) sequence_number: &'static str,
}

/// A record with the sequence number that identifies it in the response.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) value: Value,
}

impl Kind {
    /// Returns the records in an event.
    ///
    /// # Errors
    /// Returns an error if the event is not a batch or a record has no sequence number.
    pub(super) fn records(self, batch: Value) -> Result<Vec<Record>, Failure> {
        let with_id = |value: Value| {
            let id = value.pointer(self.sequence_number).and_then(Value::as_str).filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Failure::retry("a record of the batch has no sequence number"))?;
            Ok(Record { id: id.to_owned(), value })
        };
        engine::records(batch)?.into_iter().map(with_id).collect()
    }

    /// Converts a record with `read`.
    ///
    /// # Errors
    /// Returns an error if the record is from another event source, or if `read` rejects it.
    pub(super) fn read<T>(self, record: &Value, read: impl Fn(&Value) -> Result<T, Failure>) -> Result<T, Failure> {
        match &record["eventSource"] {
            Value::String(source) if source == self.event_source => read(record),
            other => Err(Failure::reject(format!("unexpected event source {other}"))),
        }
    }
}

/// Converts each record of the event `batch` with `read` and passes it to `handler`, in order. Processing stops at the
/// first record that fails, because Lambda retries from that record on.
///
/// # Errors
/// Returns an error if the event is not a batch or a record has no sequence number.
pub(super) async fn process<T, F>(
    kind: Kind,
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    limits: Limits,
    read: impl Fn(&Value) -> Result<T, Failure>,
    handler: impl Fn(T) -> F,
) -> Result<Response, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let records = kind.records(batch)?;
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let group = records.into_iter().enumerate().collect();
    let read = &read;
    let handler = &handler;
    let outcomes = engine::process_groups(vec![group], limits, |record: Record| async move {
        let keys = Map::from_iter([("sequence_number".to_owned(), record.id.as_str().into())]);
        let work = async {
            let work = Box::pin(async { handler(kind.read(&record.value, read)?).await });
            match engine::process_record(format!("record {}", record.id), limits, work).await {
                Ok(()) => Outcome::Succeeded,
                Err(Failure::Reject(error)) => reject(&record.value, dead_letters, &*error).await,
                Err(Failure::Retry(error)) => {
                    let message = "a record failed and will be retried together with all later records";
                    tracing::warn!(error = &*error as &dyn Error, "{message}");
                    Outcome::Failed
                }
            }
        };
        invocation::in_record(keys, TraceContext::default(), work).await
    })
    .await;
    Ok(Response::of_stream(ids.into_iter().zip(outcomes)))
}

/// Sends a record to the dead-letter queue. If the record were retried instead, it would block all later records of its
/// shard.
pub(super) async fn reject(
    record: &Value,
    dead_letters: &impl DeadLetterQueue,
    error: &(dyn Error + Send + Sync + 'static),
) -> Outcome {
    tracing::error!(error = error as &dyn Error, "a record was rejected and is sent to the dead-letter queue");
    match engine::finalize(dead_letters.reject(&record.to_string(), &log::error_chain(error))).await {
        Ok(()) => Outcome::Rejected,
        // Lambda retries the record, and it is rejected again.
        Err(error) => {
            tracing::error!(error = &*error as &dyn Error, "could not send the record to the dead-letter queue");
            Outcome::Failed
        }
    }
}
