//! Metrics, in CloudWatch's Embedded Metric Format: counted while the invocation runs, written in the line that it ends
//! with, and made into metrics by CloudWatch Logs without a call to any API.
//!
//! A function says once what it counts; a name that CloudWatch would refuse does not compile.
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
//! The namespace is `POWERTOOLS_METRICS_NAMESPACE`. What a function counts has the dimension `service`; what is counted
//! of every function ([`COLD_START`], [`SUCCEEDED`], [`REFUSED`], [`FAILED`]) has `function_name` as well, as Powertools'
//! `ColdStart` does. A metric costs by the month for each set of dimension values, so nothing here has a dimension
//! with many values.

mod emf;
mod layer;

pub(crate) use emf::Document;
pub use layer::{Measured, layer};

use crate::{invocation, log};

/// What a value is measured in ("MetricDatum", `Unit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How long.
    Milliseconds,
    /// How large.
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

/// Something that is counted or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    unit: Unit,
    of_function: bool,
}

impl Metric {
    /// A metric of the whole service.
    ///
    /// # Panics
    /// The name does not have 1 to 255 characters, begins with no capital or has others than letters and digits. In a
    /// constant, that is an error of the compiler.
    #[allow(clippy::panic, reason = "in a constant it is the compiler that panics")]
    pub const fn new(name: &'static str, unit: Unit) -> Self {
        let bytes = name.as_bytes();
        // 255 is what CloudWatch takes ("PutMetricData"); the first letter keeps it apart from the log's own keys.
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

/// An execution environment's first invocation.
pub const COLD_START: Metric = Metric::of_function("ColdStart");
/// An invocation that did what it was asked for; in a batch, a record.
pub const SUCCEEDED: Metric = Metric::of_function("Succeeded");
/// An invocation that was not to be carried out (a 4xx), or a record that can never be handled.
pub const REFUSED: Metric = Metric::of_function("Refused");
/// An invocation that failed, or a record that will be delivered again.
pub const FAILED: Metric = Metric::of_function("Failed");

/// Counts one.
pub fn count(metric: Metric) {
    add(metric, 1.0);
}

/// Adds a value, which must be a finite number; any other is left out, as CloudWatch would refuse the whole line for it.
/// Outside of an invocation there is no line for it.
pub fn add(metric: Metric, value: f64) {
    let full = invocation::current(|scope| scope.invocation.written().metrics.add(metric, value)).flatten();
    if let Some(document) = full.as_ref().and_then(Document::new) {
        log::write_metrics(&document);
    }
}

/// What was counted since the last document.
#[derive(Debug, Default)]
pub(crate) struct Set(Vec<(Metric, Vec<f64>)>);

impl Set {
    /// The most metrics of a directive, and values of a metric ("Embedded metric format specification").
    const MAX: usize = 100;

    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(metric, _)| metric.name)
    }

    /// Adds a value; when there was no room for it, gives what there was, to be written at once.
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
    async fn what_is_counted_belongs_to_the_invocation() {
        count(SOLD);
        let ((), invocation) = invoked(async {
            count(SOLD);
            add(SOLD, 2.0);
            add(SOLD, f64::NAN);
        })
        .await;
        assert_eq!(invocation.written().metrics.0, [(SOLD, vec![1.0, 2.0])]);
    }

    #[test]
    fn no_document_has_more_than_cloudwatch_takes() {
        let mut set = Set::default();
        assert!((0..100).all(|_| set.add(SOLD, 1.0).is_none()));
        let full = set.add(SOLD, 1.0).unwrap();
        assert_eq!((full.0[0].1.len(), set.0[0].1.len()), (100, 1));
    }
}
