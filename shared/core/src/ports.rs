//! Ports: the operations that the runtime and an application's handlers need from their environment.
//!
//! Each port covers one use case. A handler depends only on the ports that it calls, so its unit tests implement only
//! those ports, and its role needs only their permissions.

#[cfg(feature = "feature-flags")]
use serde::de::DeserializeOwned;
use uuid::Uuid;

#[cfg(feature = "feature-flags")]
use crate::feature_flags::EvaluationContext;
pub use crate::idempotency::{Attempt, Fingerprint, IdempotencyStore, SavedResponse, StartResult};
use crate::{CloudEvent, Event, Timestamp};

/// Failure of an operation behind a port. The request did not cause it.
///
/// The cause is logged and never sent to clients.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct PortError {
    /// Name of the operation: an AWS API action such as `GetItem`, or a short description.
    pub operation: &'static str,
    /// Underlying error.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl PortError {
    /// Creates an error for `operation`, which failed because of `cause`.
    pub fn new(operation: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, cause: cause.into() }
    }

    /// Returns a function that creates the error of `operation` from its cause, for [`Result::map_err`].
    pub fn during<E>(operation: &'static str) -> impl Fn(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |cause| Self::new(operation, cause)
    }
}

/// Provides the current time.
pub trait Clock: Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// Generates identifiers.
pub trait IdGenerator: Sync {
    /// Generates a UUIDv7 that sorts after all UUIDs generated earlier in the same process.
    fn new_id(&self) -> Uuid;
}

/// Generates secrets, such as the token in a confirmation e-mail.
pub trait SecretGenerator: Sync {
    /// Generates a UUIDv4 (RFC 9562, section 5.4), whose 122 random bits nobody can guess.
    fn new_secret(&self) -> Uuid;
}

/// Evaluates feature flags, so that new code can be enabled for some users, at a certain time, or be disabled without a
/// deployment.
///
/// Evaluation never fails: while the flags cannot be read, a handler gets its own default.
#[cfg(feature = "feature-flags")]
pub trait EvaluateFlags: Sync {
    /// Returns whether a feature is enabled for this context, or `default` if the feature is unknown.
    fn is_enabled(&self, name: &str, context: &EvaluationContext, default: bool) -> impl Future<Output = bool> + Send;

    /// Returns the value of a feature for this context, or `default` if the feature is unknown or its value has another
    /// type.
    fn value<T: DeserializeOwned + Send>(
        &self,
        name: &str,
        context: &EvaluationContext,
        default: T,
    ) -> impl Future<Output = T> + Send;

    /// Returns the names of the features that are enabled for this context.
    fn enabled_features(&self, context: &EvaluationContext) -> impl Future<Output = Vec<String>> + Send;
}

/// Publishes domain events.
pub trait PublishEvents<E: Event>: Sync {
    /// Publishes all events. After a failure, callers may publish them again; consumers detect duplicates by `id`.
    ///
    /// # Errors
    /// Returns an error if at least one event was not published.
    fn publish(&self, events: &[CloudEvent<E>]) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Reads objects of a bucket, such as uploaded files.
pub trait ReadObject: Sync {
    /// Returns the content of an object of at most `max_bytes`, or `None` if there is no such object. Returns the first
    /// `max_bytes + 1` bytes of a larger object.
    ///
    /// # Errors
    /// Returns an error if the object could not be read.
    fn read(&self, key: &str, max_bytes: u64) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
}

/// Dead-letter queue for messages, records and events that cannot be processed, for manual inspection.
pub trait DeadLetterQueue: Sync {
    /// Sends `body` unchanged to the dead-letter queue, together with the reason. The reason is truncated and sanitized
    /// by [`Reason::from_lossy`](crate::Reason::from_lossy).
    ///
    /// # Errors
    /// Returns an error if the message could not be sent. If only the response was lost, the queue contains the
    /// message, and a second call adds a duplicate.
    fn reject(&self, body: &str, reason: &str) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Changes the visibility timeout of received messages.
pub trait MessageVisibility: Sync {
    /// Sets the visibility timeout of the message with this receipt handle. The queue delivers it again after `seconds`
    /// (at most 43,200).
    ///
    /// # Errors
    /// Returns an error if the timeout was not changed. The current visibility timeout then remains in effect.
    fn delay(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), PortError>> + Send;
}
