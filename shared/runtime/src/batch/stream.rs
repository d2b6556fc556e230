//! What all streams have in common: the records of one shard, in order.

use std::error::Error;

use ferrite_core::TraceContext;
use ferrite_core::ports::DeadLetterQueue;
use serde_json::{Map, Value};

use super::{Limits, Response, engine};
use crate::log::{self, Outcome};
use crate::{Failure, invocation};

/// One kind of stream: the `eventSource` of its records, and the JSON pointer to their sequence number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) event_source: &'static str,
    pub(super) sequence_number: &'static str,
}

/// A record, and the sequence number that identifies it in the response.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) value: Value,
}

impl Kind {
    /// The records of an event.
    ///
    /// # Errors
    /// The event is not a batch, or a record has no sequence number.
    pub(super) fn records(self, batch: Value) -> Result<Vec<Record>, Failure> {
        let named = |value: Value| {
            let id = value.pointer(self.sequence_number).and_then(Value::as_str).filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Failure::retry("a record of the batch has no sequence number"))?;
            Ok(Record { id: id.to_owned(), value })
        };
        engine::records(batch)?.into_iter().map(named).collect()
    }

    /// Reads a record with `read`.
    ///
    /// # Errors
    /// The record comes from another source, or `read` rejects it.
    pub(super) fn read<T>(self, record: &Value, read: impl Fn(&Value) -> Result<T, Failure>) -> Result<T, Failure> {
        match &record["eventSource"] {
            Value::String(source) if source == self.event_source => read(record),
            other => Err(Failure::reject(format!("the record comes from {other}"))),
        }
    }
}

/// Processes each record of the event `batch`, read with `read`, with `handler`, in order. The first failure ends the batch:
/// Lambda reads the shard again from there, and the records before it are done.
///
/// # Errors
/// The event is not a batch, or a record has no sequence number.
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
    let (read, handler) = (&read, &handler);
    let outcomes = engine::process_groups(vec![group], limits, |record: Record| async move {
        let keys = Map::from_iter([("sequence_number".to_owned(), record.id.as_str().into())]);
        let work = async {
            let work = Box::pin(async { handler(kind.read(&record.value, read)?).await });
            match engine::process_record(format!("record {}", record.id), limits, work).await {
                Ok(()) => Outcome::Succeeded,
                Err(Failure::Reject(error)) => reject(&record.value, dead_letters, &*error).await,
                Err(Failure::Retry(error)) => {
                    let message = "a record failed and will be retried together with those after it";
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

/// Puts a record into the dead-letter queue. If it stayed in its shard, it would block all records after it.
pub(super) async fn reject(
    record: &Value,
    dead_letters: &impl DeadLetterQueue,
    error: &(dyn Error + Send + Sync + 'static),
) -> Outcome {
    tracing::error!(error = error as &dyn Error, "a record goes to the dead-letter queue: it can never be processed");
    match engine::finalize(dead_letters.reject(&record.to_string(), &log::error_chain(error))).await {
        Ok(()) => Outcome::Rejected,
        // It is delivered again, and rejected again.
        Err(error) => {
            tracing::error!(error = &*error as &dyn Error, "the dead-letter queue did not take the record");
            Outcome::Failed
        }
    }
}
