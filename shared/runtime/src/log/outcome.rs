//! How invocations and records end, and what the log says about it.

use serde_json::{Map, Value};

use super::Exception;

/// How an invocation or a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was requested.
    Succeeded,
    /// It did not do what was requested because the request is not valid, and the caller was told so.
    Rejected,
    /// It did not do what was requested, through no fault of the caller.
    Failed,
}

/// Numbers of outcomes: of the invocation itself, or of the records of its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// [`Outcome::Succeeded`].
    pub succeeded: u32,
    /// [`Outcome::Rejected`].
    pub rejected: u32,
    /// [`Outcome::Failed`].
    pub failed: u32,
}

impl OutcomeCounts {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

impl From<Outcome> for OutcomeCounts {
    fn from(outcome: Outcome) -> Self {
        let mut counts = Self::default();
        counts.add(outcome);
        counts
    }
}

/// What the line of an invocation says about its result.
#[derive(Debug)]
pub struct LogSummary {
    /// The line's `message`.
    pub message: &'static str,
    /// Further keys of the line.
    pub fields: Map<String, Value>,
    /// The error that the invocation ended with.
    pub exception: Option<Exception>,
}

/// A result that an invocation can end with.
pub trait Classify {
    /// Counts the outcomes.
    fn counts(&self) -> OutcomeCounts;

    /// Describes the result for the log.
    fn summary(&self) -> LogSummary;
}
