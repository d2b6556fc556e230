//! Metrics in CloudWatch Embedded Metric Format (EMF). They are collected during the invocation and written as part of
//! its log line. CloudWatch Logs extracts the metrics from that line, so no API call is needed.
//!
//! Define each metric as a constant. A name that CloudWatch would reject then causes a compile error.
//!
//! ```
//! use ferrite_runtime::metrics::{self, Metric, Unit};
//!
//! const NOTES_WRITTEN: Metric = Metric::new("NotesWritten", Unit::Count);
//!
//! metrics::count(NOTES_WRITTEN);
//! ```
//!
//! ```compile_fail
//! use ferrite_runtime::metrics::{Metric, Unit};
//!
//! const UNNAMED: Metric = Metric::new("", Unit::Count);
//! # let _ = UNNAMED;
//! ```
//!
//! `POWERTOOLS_METRICS_NAMESPACE` sets the namespace. Custom metrics have the dimension `service`. The metrics that
//! every function writes ([`COLD_START`], [`SUCCEEDED`], [`REJECTED`], [`FAILED`]) also have the dimension
//! `function_name`, like the `ColdStart` metric of Powertools. CloudWatch charges a monthly fee for each combination of
//! dimension values, so no dimension here has many values.

mod emf;
mod middleware;

pub(crate) use emf::Document;
pub use middleware::{MetricsMiddleware, layer};

use crate::{invocation, log};

/// The unit of a metric (see "MetricDatum" in the CloudWatch API Reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A count.
    Count,
    /// A duration in milliseconds.
    Milliseconds,
    /// A size in bytes.
    Bytes,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
        }
    }
}

/// A metric with its name and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    unit: Unit,
    per_function: bool,
}

impl Metric {
    /// Creates a metric with the dimension `service`.
    ///
    /// # Panics
    /// Panics if the name is empty, is longer than 255 characters, does not start with an uppercase letter, or contains
    /// characters other than ASCII letters and digits. In a constant, this is a compile error.
    #[allow(clippy::panic, reason = "in a constant, the panic occurs at compile time")]
    pub const fn new(name: &'static str, unit: Unit) -> Self {
        let bytes = name.as_bytes();
        // CloudWatch limits names to 255 characters ("PutMetricData"). The uppercase letter avoids conflicts with log
        // keys.
        assert!(!bytes.is_empty() && bytes.len() <= 255, "a metric name must have 1 to 255 characters");
        assert!(bytes[0].is_ascii_uppercase(), "a metric name must start with an uppercase letter");
        let mut index = 0;
        while index < bytes.len() {
            assert!(bytes[index].is_ascii_alphanumeric(), "a metric name must contain only letters and digits");
            index += 1;
        }
        Self { name, unit, per_function: false }
    }

    const fn per_function(name: &'static str) -> Self {
        Self { per_function: true, ..Self::new(name, Unit::Count) }
    }
}

/// Number of cold starts: first invocations of an execution environment.
pub const COLD_START: Metric = Metric::per_function("ColdStart");
/// Number of successful invocations, or of successful records in a batch.
pub const SUCCEEDED: Metric = Metric::per_function("Succeeded");
/// Number of rejected invocations (such as 4xx responses), or of rejected records in a batch.
pub const REJECTED: Metric = Metric::per_function("Refused");
/// Number of failed invocations, or of records in a batch that will be retried.
pub const FAILED: Metric = Metric::per_function("Failed");

/// Adds 1 to a metric. Has no effect outside an invocation.
pub fn count(metric: Metric) {
    add(metric, 1.0);
}

/// Adds a value to a metric. Has no effect outside an invocation.
///
/// Infinite values and NaN are ignored, because CloudWatch would reject the whole log line.
pub fn add(metric: Metric, value: f64) {
    let full = invocation::current(|scope| scope.invocation.state().metrics.add(metric, value)).flatten();
    if let Some(document) = full.as_ref().and_then(Document::new) {
        log::write_metrics(&document);
    }
}

/// The metric values that were added since the last document was written.
#[derive(Debug, Default)]
pub(crate) struct Set(Vec<(Metric, Vec<f64>)>);

impl Set {
    /// Maximum number of metrics per directive, and of values per metric ("Embedded metric format specification").
    const MAX: usize = 100;

    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(metric, _)| metric.name)
    }

    /// Adds a value. If the set is full, returns the full set, which the caller must write, and starts a new one.
    fn add(&mut self, metric: Metric, value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let existing = self.0.iter().position(|(other, _)| other.name == metric.name);
        let has_room = existing.map_or(self.0.len() < Self::MAX, |index| self.0[index].1.len() < Self::MAX);
        if !has_room {
            let full = std::mem::take(self);
            self.0.push((metric, vec![value]));
            return Some(full);
        }
        match existing {
            Some(index) => self.0[index].1.push(value),
            None => self.0.push((metric, vec![value])),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::testing::in_invocation;

    const WRITTEN: Metric = Metric::new("Written", Unit::Count);

    #[tokio::test]
    async fn adds_values_to_the_current_invocation() {
        count(WRITTEN);
        let ((), invocation) = in_invocation(async {
            count(WRITTEN);
            add(WRITTEN, 2.0);
            add(WRITTEN, f64::NAN);
        })
        .await;
        assert_eq!(invocation.state().metrics.0, [(WRITTEN, vec![1.0, 2.0])]);
    }

    #[test]
    fn starts_a_new_document_at_the_cloudwatch_limit() {
        let mut set = Set::default();
        assert!((0..100).all(|_| set.add(WRITTEN, 1.0).is_none()));
        let full = set.add(WRITTEN, 1.0).unwrap();
        assert_eq!((full.0[0].1.len(), set.0[0].1.len()), (100, 1));
    }
}
