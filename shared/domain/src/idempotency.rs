//! Doing something once, however often it is asked for: what is kept of an attempt, and where.
//!
//! The states are those of Powertools for AWS Lambda ("Idempotency"), so that a function in another language can take
//! part: an attempt is in progress until it answers, gives up or runs out of time; its answer stands until it expires.

use std::future::Future;

use crate::Timestamp;
use crate::ports::StoreError;

/// What tells two requests under one idempotency key apart: a digest of the request's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(pub String);

/// The answer that the first request under an idempotency key got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedAnswer {
    /// What the request was.
    pub fingerprint: Fingerprint,
    /// What was answered, as the handler wrote it.
    pub answer: String,
}

/// One attempt to do something once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What is to be done once: the record's identifier.
    pub key: String,
    /// What the request was.
    pub fingerprint: Fingerprint,
    /// When it begins.
    pub now: Timestamp,
    /// When it has surely ended, whatever became of it: the end of its invocation. From then on another may take over.
    pub in_progress_until: Timestamp,
    /// When its record counts as absent, should it never answer.
    pub expires_at: Timestamp,
}

/// How an attempt begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the one to do it.
    First,
    /// It was done, and this is what was answered.
    Answered(SavedAnswer),
    /// Another is at it.
    InProgress,
}

/// Keeps what became of attempts.
pub trait IdempotencyRecords: Sync {
    /// Begins an attempt: of any number with one key, at most one is [`Begun::First`] at a time. A record that has
    /// expired at `attempt.now` counts as absent.
    ///
    /// # Errors
    /// The store failed. The record may have been written: the same attempt may then be in its own way until
    /// `attempt.in_progress_until`.
    fn begin(&self, attempt: &Attempt) -> impl Future<Output = Result<Begun, StoreError>> + Send;

    /// Keeps `answer`, which is JSON, for everyone who asks before `expires_at`; `false` when another attempt has taken
    /// over, or this one gave up, and then nothing was changed. To send the same answer again is safe.
    fn complete(
        &self,
        attempt: &Attempt,
        answer: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps `answer`, which is JSON, whichever attempt is at it: for who learned by another way what became of one. `false`
    /// when none is, and then nothing was changed.
    ///
    /// # Errors
    /// The store failed. To try again is safe.
    fn settle(
        &self,
        key: &str,
        answer: &str,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives up: the next attempt is the first again. Nothing happens if another has taken over, or this one has answered.
    fn release(&self, attempt: &Attempt) -> impl Future<Output = Result<(), StoreError>> + Send;
}
