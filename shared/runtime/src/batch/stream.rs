//! What the records of every stream have in common: one shard, in order.

use std::error::Error;

use ferrite_core::TraceContext;
use ferrite_core::ports::DeadLetterQueue;
use serde_json::{Map, Value};

use super::{Failure, Limits, Response, engine};
use crate::log::{self, Outcome};
use crate::{event, invocation};

/// One kind of stream: what its records say they come from, and where their sequence number is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) event_source: &'static str,
    pub(super) sequence_number: &'static str,
}

/// A record, and the sequence number that names it in an answer.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) value: Value,
}

impl Kind {
    /// The records of an event.
    ///
    /// # Errors
    /// It is no batch, or a record has no sequence number.
    pub(super) fn records(self, batch: Value) -> Result<Vec<Record>, event::Failure> {
        let named = |value: Value| {
            let id = value.pointer(self.sequence_number).and_then(Value::as_str).filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| event::Failure::failed("a record of the batch has no sequence number"))?;
            Ok(Record { id: id.to_owned(), value })
        };
        engine::records(batch)?.into_iter().map(named).collect()
    }

    /// Reads a record as what `read` makes of it.
    ///
    /// # Errors
    /// It comes from something else, or `read` refuses it; to deliver it again cannot help.
    pub(super) fn read<T>(self, record: &Value, read: impl Fn(&Value) -> Result<T, Failure>) -> Result<T, Failure> {
        match &record["eventSource"] {
            Value::String(source) if source == self.event_source => read(record),
            other => Err(Failure::reject(format!("the record comes from {other}"))),
        }
    }
}

/// Hands each record of the event `batch`, as `read` makes it, to `handler`, in order. The first that fails ends the
/// batch: the shard is read again from there, and the records before it are done with.
///
/// # Errors
/// It is no batch, or a record has no sequence number.
pub(super) async fn each<T, F>(
    kind: Kind,
    batch: Value,
    dead_letters: &impl DeadLetterQueue,
    limits: Limits,
    read: impl Fn(&Value) -> Result<T, Failure>,
    handler: impl Fn(T) -> F,
) -> Result<Response, event::Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let records = kind.records(batch)?;
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let lane = records.into_iter().enumerate().collect();
    let (read, handler) = (&read, &handler);
    let outcomes = engine::in_lanes(vec![lane], limits, |record: Record| async move {
        let keys = Map::from_iter([("sequence_number".to_owned(), record.id.as_str().into())]);
        let work = async {
            let handled = Box::pin(async { handler(kind.read(&record.value, read)?).await });
            match engine::alone(format!("record {}", record.id), limits, handled).await {
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

/// Puts a record aside: in its shard it would hold up all those after it without ever getting better.
pub(super) async fn reject(
    record: &Value,
    dead_letters: &impl DeadLetterQueue,
    error: &(dyn Error + Send + Sync + 'static),
) -> Outcome {
    tracing::error!(error = error as &dyn Error, "a record goes to the dead-letter queue: it can never be processed");
    match engine::settled(dead_letters.reject(&record.to_string(), &log::error_chain(error))).await {
        Ok(()) => Outcome::Rejected,
        // Delivered again, it will be rejected again.
        Err(error) => {
            tracing::error!(error = &*error as &dyn Error, "the dead-letter queue did not take the record");
            Outcome::Failed
        }
    }
}
