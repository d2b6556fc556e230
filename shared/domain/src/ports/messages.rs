//! Events and the queues that consumers get them from.

use super::StoreError;

/// Tells events to whoever listens.
pub trait PublishEvents: Sync {
    /// Publishes every event. Events may be published again after a failure; consumers know them by their `id`.
    ///
    /// # Errors
    /// At least one was not published.
    fn publish(&self, events: &[crate::CloudEvent]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The queue that a consumer's messages come from, and the one beside it for those that cannot be handled.
pub trait WorkQueue: Sync {
    /// Puts what cannot ever be handled, as it arrived, into the dead-letter queue with the reason, made to fit as
    /// [`crate::Reason::from_lossy`] does.
    fn reject(&self, body: &str, reason: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Has the message of this receipt handle delivered again after `seconds` (at most 43,200) and not before.
    fn delay(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), StoreError>> + Send;
}
