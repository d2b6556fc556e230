//! Outcomes of invocations and records, and how they are logged.

use serde_json::{Map, Value};

use super::Exception;

/// The outcome of an invocation or of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Processing succeeded.
    Succeeded,
    /// The request or record was invalid.
    Rejected,
    /// Processing failed for another reason, and a retry may succeed.
    Failed,
}

/// Number of outcomes of each kind: of the invocation itself, or of the records in its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Number of [`Outcome::Succeeded`].
    pub succeeded: u32,
    /// Number of [`Outcome::Rejected`].
    pub rejected: u32,
    /// Number of [`Outcome::Failed`].
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

/// The part of an invocation's log line that describes its result.
#[derive(Debug)]
pub struct LogSummary {
    /// The `message` of the line.
    pub message: &'static str,
    /// Additional keys of the line.
    pub fields: Map<String, Value>,
    /// The error that the invocation returned, if any.
    pub exception: Option<Exception>,
}

/// A result of an invocation that can be counted and logged.
pub trait Classify {
    /// Returns the number of outcomes of each kind.
    fn counts(&self) -> OutcomeCounts;

    /// Returns the description of the result for the log.
    fn summary(&self) -> LogSummary;
}
