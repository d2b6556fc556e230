//! Idempotency: the record of an attempt to execute a request, and the port that stores it.
//!
//! The states are those of Powertools for AWS Lambda ("Idempotency"), so functions in other languages can share the
//! table. An attempt is in progress until it completes, is released or times out. Its response is saved until the
//! record expires.

use std::future::Future;

use crate::Timestamp;
use crate::ports::PortError;

/// Digest of a request's content. It detects different requests that use the same idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(pub String);

/// Saved response to the first request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedResponse {
    /// Fingerprint of the request that was executed.
    pub fingerprint: Fingerprint,
    /// Response as serialized by the handler.
    pub response: String,
}

/// One attempt to execute a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Key of the record.
    pub key: String,
    /// Fingerprint of the request.
    pub fingerprint: Fingerprint,
    /// Start time of the attempt.
    pub now: Timestamp,
    /// Latest time at which the Lambda invocation can end. After it, another attempt may take over.
    pub in_progress_until: Timestamp,
    /// Expiry time of the record if the attempt never completes.
    pub expires_at: Timestamp,
}

/// Result of starting an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartResult {
    /// This attempt may execute the request.
    Acquired,
    /// An earlier attempt completed with this response.
    Completed(SavedResponse),
    /// Another attempt is in progress.
    InProgress,
}

/// Stores idempotency records.
pub trait IdempotencyStore: Sync {
    /// Starts an attempt. At most one attempt per key is [`StartResult::Acquired`] at a time. A record that has expired
    /// at `attempt.now` is treated as absent.
    ///
    /// # Errors
    /// Returns an error if the store failed. The record may have been written. In that case, starting the same attempt
    /// again returns [`StartResult::InProgress`] until `attempt.in_progress_until`.
    fn start(&self, attempt: &Attempt) -> impl Future<Output = Result<StartResult, PortError>> + Send;

    /// Saves `response`, which is JSON, until `expires_at`. Returns `false` and changes nothing if another attempt has
    /// taken over or this attempt was released. Saving the same response again is safe.
    ///
    /// # Errors
    /// Returns an error if the store failed. The response may have been saved.
    fn complete(
        &self,
        attempt: &Attempt,
        response: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Saves `response`, which is JSON, for whichever attempt is in progress. Use it if the outcome is reported by
    /// another source than the attempt itself. Returns `false` and changes nothing if no attempt is in progress.
    ///
    /// # Errors
    /// Returns an error if the store failed. Retrying is safe.
    fn complete_if_in_progress(
        &self,
        key: &str,
        response: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Releases the key so that the next attempt can start. Does nothing if another attempt has taken over or this
    /// attempt has completed.
    ///
    /// # Errors
    /// Returns an error if the store failed. The key may remain in use until `attempt.in_progress_until`.
    fn release(&self, attempt: &Attempt) -> impl Future<Output = Result<(), PortError>> + Send;
}
