//! A document of the Embedded Metric Format ("Embedded metric format specification").

use serde::ser::SerializeMap;
use serde_json::{Value, json};

use super::{Metric, Set};
use crate::settings::settings;

/// The keys that make a log line a source of metrics. The line has the values of the dimensions, `service` and
/// `function_name`, as keys of its own.
#[derive(Debug)]
pub(crate) struct Document {
    metadata: Value,
    values: Vec<(&'static str, Vec<f64>)>,
}

impl Document {
    /// Creates the document of `set`; `None` if it is empty.
    pub(crate) fn new(set: &Set) -> Option<Self> {
        Self::at(set, &settings().namespace, jiff::Timestamp::now().as_millisecond())
    }

    fn at(set: &Set, namespace: &str, unix_millis: i64) -> Option<Self> {
        if set.0.is_empty() {
            return None;
        }
        let directive = |of_function: bool, dimensions: &[&str]| {
            let of_directive = |metric: &&Metric| metric.of_function == of_function;
            let define = |metric: &Metric| json!({ "Name": metric.name, "Unit": metric.unit.as_str() });
            let metrics: Vec<Value> = set.0.iter().map(|(metric, _)| metric).filter(of_directive).map(define).collect();
            (!metrics.is_empty()).then(|| json!({ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics }))
        };
        let directives: Vec<Value> =
            directive(false, &["service"]).into_iter().chain(directive(true, &["function_name", "service"])).collect();
        Some(Self {
            metadata: json!({ "Timestamp": unix_millis, "CloudWatchMetrics": directives }),
            values: set.0.iter().map(|(metric, values)| (metric.name, values.clone())).collect(),
        })
    }

    /// Writes the document's keys into a line.
    pub(crate) fn serialize_into<M: SerializeMap>(&self, line: &mut M) -> Result<(), M::Error> {
        line.serialize_entry("_aws", &self.metadata)?;
        self.values.iter().try_for_each(|(name, values)| line.serialize_entry(name, values))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{COLD_START, Unit};
    use super::*;

    #[test]
    fn each_set_of_dimensions_has_its_own_directive() {
        const SOLD: Metric = Metric::new("Sold", Unit::Count);
        let mut set = Set::default();
        assert!(set.add(SOLD, 1.0).is_none() && set.add(COLD_START, 1.0).is_none());
        let document = Document::at(&set, "Shop", 1_700_000_000_000).unwrap();
        assert_eq!(
            document.metadata,
            json!({"Timestamp": 1_700_000_000_000_i64, "CloudWatchMetrics": [
                {"Namespace": "Shop", "Dimensions": [["service"]], "Metrics": [{"Name": "Sold", "Unit": "Count"}]},
                {"Namespace": "Shop", "Dimensions": [["function_name", "service"]],
                 "Metrics": [{"Name": "ColdStart", "Unit": "Count"}]},
            ]})
        );
        assert_eq!(document.values, [("Sold", vec![1.0]), ("ColdStart", vec![1.0])]);
    }

    #[test]
    fn an_empty_set_has_no_document() {
        assert!(Document::new(&Set::default()).is_none());
    }
}
