//! Handling records side by side, each by itself.

use std::error::Error;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{Failure, Limits};
use crate::deadline;
use crate::log::Outcome;
use crate::trace::Running;
use crate::{event, invocation, panics};

/// What is left of the invocation's time for saying how the records ended.
const RESERVE: Duration = Duration::from_millis(500);

/// The records of an event from an event source mapping.
///
/// # Errors
/// It is no such event.
pub(super) fn records(mut event: Value) -> Result<Vec<Value>, event::Failure> {
    match event.get_mut("Records").map(Value::take) {
        Some(Value::Array(records)) => Ok(records),
        _ => Err(event::Failure::failed("the event is no batch: it has no list of Records")),
    }
}

/// Handles lanes side by side, and each lane's records one after another; once a record failed, those after it in its
/// lane fail unhandled. Records come with their place in the batch, and the outcomes are in that order.
pub(super) async fn in_lanes<R, F>(lanes: Vec<Vec<(usize, R)>>, limits: Limits, handle: impl Fn(R) -> F) -> Vec<Outcome>
where
    F: Future<Output = Outcome>,
{
    let handle = &handle;
    let one_lane = |records: Vec<(usize, R)>| async move {
        let mut ended = Vec::with_capacity(records.len());
        let mut failed = false;
        for (at, record) in records {
            let outcome = if failed { Outcome::Failed } else { handle(record).await };
            failed = outcome == Outcome::Failed;
            ended.push((at, outcome));
        }
        ended
    };
    let mut ended: Vec<(usize, Outcome)> =
        stream::iter(lanes.into_iter().map(one_lane)).buffer_unordered(limits.at_once.get()).concat().await;
    ended.sort_unstable_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Carries out what is decided about a record, in half of the time that is left: the answer needs the rest, and one that
/// came too late would fail every record of the batch.
///
/// # Errors
/// It failed, or was not done in time.
pub(super) async fn settled<E>(work: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn Error + Send + Sync>>
where
    E: Error + Send + Sync + 'static,
{
    let time = deadline::time_left().map(|left| left / 2);
    Ok(deadline::within(time, work).await??)
}

/// Runs the `work` on one record: a panic is its failure, and so is running out of time.
pub(super) async fn alone(
    name: String,
    limits: Limits,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let _running = invocation::current(|scope| Running::start(&scope.invocation, name));
    let left = deadline::time_left().map(|left| left.saturating_sub(RESERVE.min(left / 2)));
    let time = left.into_iter().chain(limits.each).min();
    if time == Some(Duration::ZERO) {
        return Err(Failure::retry("there was no time left to begin with it"));
    }
    deadline::within(time, panics::catch(work)).await.map_err(Failure::retry)?.map_err(Failure::retry)?
}
