//! Processing the records of a batch concurrently and independently.

use std::error::Error;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::Limits;
use crate::log::Outcome;
use crate::trace::Running;
use crate::{Failure, deadline, invocation, panics};

/// The part of the invocation's time that is left for the response.
const RESERVE: Duration = Duration::from_millis(500);

/// The records of an event from an event source mapping.
///
/// # Errors
/// The event is not a batch.
pub(super) fn records(mut event: Value) -> Result<Vec<Value>, Failure> {
    match event.get_mut("Records").map(Value::take) {
        Some(Value::Array(records)) => Ok(records),
        _ => Err(Failure::retry("the event is not a batch: it has no list of Records")),
    }
}

/// Processes groups of records concurrently, and the records of each group in order. After a failed record, the rest of its
/// group fails without being processed. Records come with their index in the batch, and the outcomes are in that order.
pub(super) async fn process_groups<R, F>(
    groups: Vec<Vec<(usize, R)>>,
    limits: Limits,
    process: impl Fn(R) -> F,
) -> Vec<Outcome>
where
    F: Future<Output = Outcome>,
{
    let process = &process;
    let one_group = |records: Vec<(usize, R)>| async move {
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
        stream::iter(groups.into_iter().map(one_group)).buffer_unordered(limits.concurrency.get()).concat().await;
    outcomes.sort_unstable_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Runs `work`, which carries out the outcome of a record, in half of the time that is left. The response needs the rest: if
/// it came too late, every record of the batch would fail.
///
/// # Errors
/// The work failed, or did not end in time.
pub(super) async fn finalize<E>(work: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn Error + Send + Sync>>
where
    E: Error + Send + Sync + 'static,
{
    let time = deadline::time_left().map(|left| left / 2);
    Ok(deadline::within(time, work).await??)
}

/// Runs `work`, which processes one record. A panic or a missed deadline is the failure of this record alone.
pub(super) async fn process_record(
    name: String,
    limits: Limits,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let _running = invocation::current(|scope| Running::start(&scope.invocation, name));
    let left = deadline::time_left().map(|left| left.saturating_sub(RESERVE.min(left / 2)));
    let time = left.into_iter().chain(limits.timeout).min();
    if time == Some(Duration::ZERO) {
        return Err(Failure::retry("there was no time left to start"));
    }
    deadline::within(time, panics::catch(work)).await??
}
