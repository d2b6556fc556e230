//! Metrics in CloudWatch's Embedded Metric Format. They are collected while the invocation runs and written in its log
//! line, from which CloudWatch Logs creates the metrics: no API is called.
//!
//! A metric is a constant, so a name that CloudWatch would reject does not compile.
//!
//! ```
//! use ferrite_runtime::metrics::{self, Metric, Unit};
//!
//! const ORDERS_PLACED: Metric = Metric::new("OrdersPlaced", Unit::Count);
//!
//! metrics::count(ORDERS_PLACED);
//! ```
//!
//! ```compile_fail
//! use ferrite_runtime::metrics::{Metric, Unit};
//!
//! const NAMELESS: Metric = Metric::new("", Unit::Count);
//! # let _ = NAMELESS;
//! ```
//!
//! The namespace is `POWERTOOLS_METRICS_NAMESPACE`. A function's own metrics have the dimension `service`. Those of every
//! function ([`COLD_START`], [`SUCCEEDED`], [`REJECTED`], [`FAILED`]) have `function_name` as well, as Powertools'
//! `ColdStart` does. CloudWatch charges each combination of dimension values by the month, so no dimension here has many
//! values.

mod emf;
mod middleware;

pub(crate) use emf::Document;
pub use middleware::{MetricsMiddleware, layer};

use crate::{invocation, log};

/// The unit of a metric ("MetricDatum", `Unit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A number of things.
    Count,
    /// A duration.
    Milliseconds,
    /// A size.
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

/// A metric: its name and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    unit: Unit,
    of_function: bool,
}

impl Metric {
    /// Creates a metric with the dimension `service`.
    ///
    /// # Panics
    /// The name is empty, has more than 255 characters, does not start with a capital letter or has characters other than
    /// letters and digits. In a constant, that is a compile error.
    #[allow(clippy::panic, reason = "in a constant, the compiler panics")]
    pub const fn new(name: &'static str, unit: Unit) -> Self {
        let bytes = name.as_bytes();
        // CloudWatch accepts 255 ("PutMetricData"). The capital letter avoids collisions with the keys of the log.
        assert!(!bytes.is_empty() && bytes.len() <= 255, "a metric's name has 1 to 255 characters");
        assert!(bytes[0].is_ascii_uppercase(), "a metric's name begins with a capital");
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at].is_ascii_alphanumeric(), "a metric's name has letters and digits");
            at += 1;
        }
        Self { name, unit, of_function: false }
    }

    const fn of_function(name: &'static str) -> Self {
        Self { of_function: true, ..Self::new(name, Unit::Count) }
    }
}

/// The first invocation of an execution environment.
pub const COLD_START: Metric = Metric::of_function("ColdStart");
/// An invocation, or a record of a batch, that succeeded.
pub const SUCCEEDED: Metric = Metric::of_function("Succeeded");
/// An invocation that was rejected (a 4xx), or a record that can never be processed.
pub const REJECTED: Metric = Metric::of_function("Refused");
/// An invocation that failed, or a record that will be retried.
pub const FAILED: Metric = Metric::of_function("Failed");

/// Adds 1.
pub fn count(metric: Metric) {
    add(metric, 1.0);
}

/// Adds a value. Ignores infinities and NaN, for which CloudWatch would reject the whole line. Has no effect outside of an
/// invocation.
pub fn add(metric: Metric, value: f64) {
    let full = invocation::current(|scope| scope.invocation.state().metrics.add(metric, value)).flatten();
    if let Some(document) = full.as_ref().and_then(Document::new) {
        log::write_metrics(&document);
    }
}

/// The values added since the last document was written.
#[derive(Debug, Default)]
pub(crate) struct Set(Vec<(Metric, Vec<f64>)>);

impl Set {
    /// The maximum numbers of metrics in a directive and of values of a metric ("Embedded metric format specification").
    const MAX: usize = 100;

    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(metric, _)| metric.name)
    }

    /// Adds a value. If the set is full, starts a new one and returns the full one, which must be written.
    fn add(&mut self, metric: Metric, value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let known = self.0.iter().position(|(known, _)| known.name == metric.name);
        let has_room = known.map_or(self.0.len() < Self::MAX, |at| self.0[at].1.len() < Self::MAX);
        if !has_room {
            let full = std::mem::take(self);
            self.0.push((metric, vec![value]));
            return Some(full);
        }
        match known {
            Some(at) => self.0[at].1.push(value),
            None => self.0.push((metric, vec![value])),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::testing::invoked;

    const SOLD: Metric = Metric::new("Sold", Unit::Count);

    #[tokio::test]
    async fn values_belong_to_the_invocation() {
        count(SOLD);
        let ((), invocation) = invoked(async {
            count(SOLD);
            add(SOLD, 2.0);
            add(SOLD, f64::NAN);
        })
        .await;
        assert_eq!(invocation.state().metrics.0, [(SOLD, vec![1.0, 2.0])]);
    }

    #[test]
    fn starts_a_new_document_at_the_limits_of_cloudwatch() {
        let mut set = Set::default();
        assert!((0..100).all(|_| set.add(SOLD, 1.0).is_none()));
        let full = set.add(SOLD, 1.0).unwrap();
        assert_eq!((full.0[0].1.len(), set.0[0].1.len()), (100, 1));
    }
}
