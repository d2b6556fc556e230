//! Handlers that an EventBridge schedule invokes. They can also be invoked manually with an event of the handler's
//! input type.
//!
//! ```no_run
//! use ferrite_runtime::{InitError, schedule};
//!
//! # async fn serve(dead_letters: &impl ferrite_core::ports::DeadLetterQueue) -> Result<(), InitError> {
//! schedule::serve(dead_letters, async |invocation: schedule::ScheduledInvocation| Ok(purge(invocation.time).await?)).await
//! # }
//! # async fn purge(_: ferrite_core::Timestamp) -> Result<(), std::io::Error> { Ok(()) }
//! ```

use std::error::Error;

use ferrite_core::Timestamp;
use ferrite_core::ports::DeadLetterQueue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, InitError, event, log, metrics};

/// An event from a schedule ("Creating an Amazon EventBridge rule that runs on a schedule").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ScheduledEvent")]
#[non_exhaustive]
pub struct ScheduledInvocation {
    /// The scheduled time.
    pub time: Timestamp,
}

#[derive(Deserialize)]
struct ScheduledEvent {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
}

impl TryFrom<ScheduledEvent> for ScheduledInvocation {
    type Error = NotScheduled;

    fn try_from(event: ScheduledEvent) -> Result<Self, NotScheduled> {
        let ScheduledEvent { source, detail_type, time } = event;
        if (source.as_str(), detail_type.as_str()) == ("aws.events", "Scheduled Event") {
            return Ok(Self { time });
        }
        Err(NotScheduled { source, detail_type })
    }
}

/// The error for an event that is not from a schedule.
#[derive(Debug, thiserror::Error)]
#[error("expected an event from a schedule, got {detail_type:?} from {source:?}")]
struct NotScheduled {
    // A raw identifier, because thiserror treats a field named `source` as the cause.
    #[allow(clippy::struct_field_names, reason = "EventBridge uses this name")]
    r#source: String,
    detail_type: String,
}

/// Runs the function: passes each event to `handler`.
///
/// An event that cannot be deserialized as `A`, or that the handler rejects, is sent to the dead-letter queue with the
/// reason, and the invocation succeeds. [`Failure::Retry`] fails the invocation. Lambda retries it twice, then sends
/// the event to the on-failure destination.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<A, H, F>(dead_letters: &impl DeadLetterQueue, handler: H) -> Result<(), InitError>
where
    A: DeserializeOwned + Send,
    H: Fn(A) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    event::run_without_response(Box::new(move |event| Box::pin(handle(event, dead_letters, handler)))).await
}

async fn handle<A, H, F>(event: Value, dead_letters: &impl DeadLetterQueue, handler: &H) -> Result<(), Failure>
where
    A: DeserializeOwned,
    H: Fn(A) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let result = match A::deserialize(&event) {
        Ok(event) => handler(event).await,
        Err(error) => Err(Failure::reject(error)),
    };
    match result {
        Ok(()) => Ok(()),
        Err(failure @ Failure::Retry(_)) => Err(failure),
        Err(Failure::Reject(cause)) => {
            let message = "the event was rejected and is sent to the dead-letter queue";
            tracing::error!(error = &*cause as &dyn Error, "{message}");
            metrics::count(metrics::REJECTED);
            Ok(dead_letters.reject(&event.to_string(), &log::error_chain(&*cause)).await?)
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::RecordingQueue;
    use serde_json::json;

    use super::*;

    fn scheduled_event() -> Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-23T00:30:00Z", "region": "eu-west-1",
            "resources": ["arn:aws:events:eu-west-1:123456789012:rule/purge-notes"], "detail": {},
        })
    }

    /// Handles an event with a handler that returns `outcome`. Returns whether the invocation succeeded, and the dead
    /// letters with their reasons.
    async fn handle_event(event: Value, outcome: Result<(), Failure>) -> (bool, Vec<(String, String)>) {
        let queue = RecordingQueue::default();
        let outcome = std::sync::Mutex::new(Some(outcome));
        let handler = async |invocation: ScheduledInvocation| {
            assert_eq!(invocation.time.to_string(), "2026-11-23T00:30:00.000Z");
            outcome.lock().unwrap().take().unwrap()
        };
        (handle(event, &queue, &handler).await.is_ok(), queue.rejected())
    }

    #[tokio::test]
    async fn passes_the_scheduled_time() {
        assert_eq!(handle_event(scheduled_event(), Ok(())).await, (true, vec![]));
    }

    #[tokio::test]
    async fn rejects_events_that_are_not_from_a_schedule() {
        let mut foreign = scheduled_event();
        foreign["source"] = json!("aws.s3");
        for (event, reason) in [(foreign, "aws.s3"), (json!({}), "source"), (json!("now"), "now"), (json!(null), "null")] {
            let (succeeded, rejected) = handle_event(event.clone(), Ok(())).await;
            assert!(succeeded, "{event}");
            assert_eq!(rejected[0].0, event.to_string());
            assert!(rejected[0].1.contains(reason), "{rejected:?}");
        }
    }

    #[tokio::test]
    async fn sends_rejected_events_to_the_dead_letter_queue_and_fails_for_retries() {
        let (succeeded, rejected) = handle_event(scheduled_event(), Err(Failure::reject("never"))).await;
        assert_eq!((succeeded, rejected), (true, vec![(scheduled_event().to_string(), "never".to_owned())]));
        assert_eq!(handle_event(scheduled_event(), Err(Failure::retry("not now"))).await, (false, vec![]));
    }
}
