//! Carrying something out once, however often it is requested: the record of an attempt, and the port that stores it.
//!
//! The states are those of Powertools for AWS Lambda ("Idempotency"), so that functions in other languages can share the
//! table. An attempt is in progress until it completes, is released or runs out of time; its response is kept until it
//! expires.

use std::future::Future;

use crate::Timestamp;
use crate::ports::PortError;

/// A digest of a request's content, which tells two requests under one idempotency key apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(pub String);

/// The response that the first request under an idempotency key got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedResponse {
    /// The content of the request.
    pub fingerprint: Fingerprint,
    /// The response, as the handler wrote it.
    pub response: String,
}

/// One attempt to carry something out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The identifier of the record.
    pub key: String,
    /// The content of the request.
    pub fingerprint: Fingerprint,
    /// When the attempt starts.
    pub now: Timestamp,
    /// When its invocation has ended at the latest, whatever happened to it. From then on another attempt may take over.
    pub in_progress_until: Timestamp,
    /// When its record counts as absent if it never completes.
    pub expires_at: Timestamp,
}

/// What an attempt finds when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartResult {
    /// This attempt carries it out.
    Acquired,
    /// It was carried out before, with this response.
    Completed(SavedResponse),
    /// Another attempt is in progress.
    InProgress,
}

/// Stores the records of attempts.
pub trait IdempotencyStore: Sync {
    /// Starts an attempt. Of any number of attempts with one key, at most one is [`StartResult::Acquired`] at a time. A
    /// record that has expired at `attempt.now` counts as absent.
    ///
    /// # Errors
    /// The store failed. The record may have been written; then the same attempt finds itself in progress until
    /// `attempt.in_progress_until`.
    fn start(&self, attempt: &Attempt) -> impl Future<Output = Result<StartResult, PortError>> + Send;

    /// Saves `response`, which is JSON, for everyone who asks before `expires_at`. Returns `false`, and changes nothing,
    /// when another attempt has taken over or this one was released. Saving the same response again is safe.
    ///
    /// # Errors
    /// The store failed. The response may have been saved.
    fn complete(
        &self,
        attempt: &Attempt,
        response: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Saves `response`, which is JSON, whichever attempt is in progress, for a caller that learned the outcome in another
    /// way. Returns `false`, and changes nothing, when no attempt is in progress.
    ///
    /// # Errors
    /// The store failed. Trying again is safe.
    fn complete_if_in_progress(
        &self,
        key: &str,
        response: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Gives the key up, so that the next attempt can start. Does nothing if another attempt has taken over or this one
    /// has completed.
    ///
    /// # Errors
    /// The store failed. The key is free when the attempt's time has ended.
    fn release(&self, attempt: &Attempt) -> impl Future<Output = Result<(), PortError>> + Send;
}
