//! A panic in a handler is that request's or that record's failure, and nobody else's.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// What a panic said.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked: {0}")]
pub(crate) struct Panicked(String);

/// Runs `work` to its end, be it a panic.
///
/// Nothing that a handler holds on to from one call to the next is changed in place, so there is no half-changed state
/// to be seen afterwards.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| Panicked(message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
