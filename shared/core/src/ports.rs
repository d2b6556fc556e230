//! What the runtime and an application's handlers need from their surroundings, each as narrow as one use of it.
//!
//! A handler names only the ports that it calls. Its unit tests then implement no more than those, and its role needs no
//! more permissions than theirs.

use uuid::Uuid;

pub use crate::idempotency::{Attempt, Fingerprint, IdempotencyStore, SavedResponse, StartResult};
use crate::{CloudEvent, Event, Timestamp};

/// An operation behind a port failed, through no fault of the request.
///
/// The cause is for the log. Clients learn nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct PortError {
    /// The operation: an AWS action, such as `GetItem`, or a similar name.
    pub operation: &'static str,
    /// Why it failed.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl PortError {
    /// `operation` failed because of `cause`.
    pub fn new(operation: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, cause: cause.into() }
    }
}

/// Tells the time.
pub trait Clock: Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Generates identifiers.
pub trait NewIds: Sync {
    /// A new UUIDv7. It sorts after those generated before it in the same process.
    fn new_id(&self) -> Uuid;
}

/// Publishes domain events.
pub trait PublishEvents<E: Event>: Sync {
    /// Publishes every event. After a failure, events may be published again; consumers recognize them by their `id`.
    ///
    /// # Errors
    /// At least one event was not published.
    fn publish(&self, events: &[CloudEvent<E>]) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Keeps messages, records and events that can never be handled, for a person to look at.
pub trait DeadLetterQueue: Sync {
    /// Puts `body`, exactly as it arrived, into the queue together with the reason, which is cut and cleaned as
    /// [`Reason::from_lossy`](crate::Reason::from_lossy) does.
    ///
    /// # Errors
    /// The queue did not accept it. It may have, if the response was lost: then a second call leaves two.
    fn reject(&self, body: &str, reason: &str) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Changes when a message that was received is delivered again.
pub trait MessageVisibility: Sync {
    /// Sets the visibility timeout of the message with this receipt handle: it is delivered again after `seconds` (at
    /// most 43,200) and not before.
    ///
    /// # Errors
    /// The timeout was not changed; the message comes back when the queue's own timeout ends.
    fn delay(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), PortError>> + Send;
}
