//! Documents in Embedded Metric Format ("Embedded metric format specification").

use serde::ser::SerializeMap;
use serde_json::{Value, json};

use super::{Metric, Set};
use crate::settings::settings;

/// The keys that make a log line an EMF document. The line itself contains the dimension values under the keys
/// `service` and `function_name`.
#[derive(Debug)]
pub(crate) struct Document {
    metadata: Value,
    values: Vec<(&'static str, Vec<f64>)>,
}

impl Document {
    /// Creates the document for `set`. Returns `None` if the set is empty.
    pub(crate) fn new(set: &Set) -> Option<Self> {
        Self::at(set, &settings().namespace, jiff::Timestamp::now().as_millisecond())
    }

    fn at(set: &Set, namespace: &str, unix_millis: i64) -> Option<Self> {
        if set.0.is_empty() {
            return None;
        }
        let directive = |per_function: bool, dimensions: &[&str]| {
            let is_included = |metric: &&Metric| metric.per_function == per_function;
            let define = |metric: &Metric| json!({ "Name": metric.name, "Unit": metric.unit.as_str() });
            let metrics: Vec<Value> = set.0.iter().map(|(metric, _)| metric).filter(is_included).map(define).collect();
            (!metrics.is_empty()).then(|| json!({ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics }))
        };
        let directives: Vec<Value> =
            directive(false, &["service"]).into_iter().chain(directive(true, &["function_name", "service"])).collect();
        Some(Self {
            metadata: json!({ "Timestamp": unix_millis, "CloudWatchMetrics": directives }),
            values: set.0.iter().map(|(metric, values)| (metric.name, values.clone())).collect(),
        })
    }

    /// Adds the document's keys to a log line.
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
    fn writes_one_directive_per_set_of_dimensions() {
        const WRITTEN: Metric = Metric::new("Written", Unit::Count);
        let mut set = Set::default();
        assert!(set.add(WRITTEN, 1.0).is_none() && set.add(COLD_START, 1.0).is_none());
        let document = Document::at(&set, "Notes", 1_700_000_000_000).unwrap();
        assert_eq!(
            document.metadata,
            json!({"Timestamp": 1_700_000_000_000_i64, "CloudWatchMetrics": [
                {"Namespace": "Notes", "Dimensions": [["service"]], "Metrics": [{"Name": "Written", "Unit": "Count"}]},
                {"Namespace": "Notes", "Dimensions": [["function_name", "service"]],
                 "Metrics": [{"Name": "ColdStart", "Unit": "Count"}]},
            ]})
        );
        assert_eq!(document.values, [("Written", vec![1.0]), ("ColdStart", vec![1.0])]);
    }

    #[test]
    fn creates_no_document_for_an_empty_set() {
        assert!(Document::new(&Set::default()).is_none());
    }
}
