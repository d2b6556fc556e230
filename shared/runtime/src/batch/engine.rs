//! Processes the records of a batch concurrently and independently.

use std::error::Error;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::Limits;
use crate::log::Outcome;
use crate::trace::Running;
use crate::{Failure, deadline, invocation, panics};

/// Time that is reserved for the response before the invocation's deadline.
const RESERVE: Duration = Duration::from_millis(500);

/// Returns the records in an event from an event source mapping.
///
/// # Errors
/// Returns an error if the event is not a batch.
pub(super) fn records(mut event: Value) -> Result<Vec<Value>, Failure> {
    match event.get_mut("Records").map(Value::take) {
        Some(Value::Array(records)) => Ok(records),
        _ => Err(Failure::retry("the event is not a batch: it has no `Records` array")),
    }
}

/// Processes groups of records concurrently, and the records of each group in order. After a failed record, all later
/// records of its group fail without being processed.
///
/// Each record has its index in the batch. The outcomes are returned in the order of these indexes.
pub(super) async fn process_groups<R, F>(
    groups: Vec<Vec<(usize, R)>>,
    limits: Limits,
    process: impl Fn(R) -> F,
) -> Vec<Outcome>
where
    F: Future<Output = Outcome>,
{
    let process = &process;
    let process_group = |records: Vec<(usize, R)>| async move {
        let mut outcomes = Vec::with_capacity(records.len());
        let mut failed = false;
        for (index, record) in records {
            let outcome = if failed { Outcome::Failed } else { process(record).await };
            failed = outcome == Outcome::Failed;
            outcomes.push((index, outcome));
        }
        outcomes
    };
    let mut outcomes: Vec<(usize, Outcome)> =
        stream::iter(groups.into_iter().map(process_group)).buffer_unordered(limits.concurrency.get()).concat().await;
    outcomes.sort_unstable_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Runs `work`, which finalizes a failed record, with a time limit of half of the remaining time. The other half is for
/// the response: if it is late, every record of the batch fails.
///
/// # Errors
/// Returns an error if `work` fails or exceeds the time limit.
pub(super) async fn finalize<E>(work: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn Error + Send + Sync>>
where
    E: Error + Send + Sync + 'static,
{
    let time_limit = deadline::time_left().map(|left| left / 2);
    Ok(deadline::within(time_limit, work).await??)
}

/// Runs `work`, which processes one record. A panic or a missed deadline fails only this record.
pub(super) async fn process_record(
    name: String,
    limits: Limits,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let _running = invocation::current(|scope| Running::start(&scope.invocation, name));
    let left = deadline::time_left().map(|left| left.saturating_sub(RESERVE.min(left / 2)));
    let time_limit = left.into_iter().chain(limits.timeout).min();
    if time_limit == Some(Duration::ZERO) {
        return Err(Failure::retry("not enough time left in the invocation to process the record"));
    }
    deadline::within(time_limit, panics::catch(work)).await??
}
