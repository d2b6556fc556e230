//! The reported results: the medians of the samples, and their ratios to those of the reference functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::subject::Kind;

/// The memory sizes that invocations are measured with, in megabytes.
pub(crate) const MEMORIES: [u32; 3] = [128, 256, 512];

/// A quantity that is measured for each subject.
pub(crate) struct Measure {
    /// Name in the JSON output, with the unit.
    pub(crate) key: &'static str,
    /// Title in the table.
    pub(crate) title: &'static str,
    /// How the table formats the result.
    pub(crate) unit: Unit,
}

/// How the table formats a result.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// A number of bytes, shown in units of 1,000,000 bytes.
    Megabytes,
    /// Milliseconds.
    Milliseconds,
    /// A number without a unit.
    Count,
}

/// All measures by section of the table, in display order.
pub(crate) const MEASURES: [(&str, &[Measure]); 6] = [
    ("Size and memory", &SIZES),
    ("Start at full CPU: from spawning the process to its first GET /next", &STARTS),
    ("CPU time of the same start", &STARTS_CPU),
    ("First invocation", &FIRST),
    ("Warm invocation: mean of the consecutive warm invocations of one start", &WARM),
    ("Log output of a warm invocation", &LOGS),
];

const SIZES: [Measure; 3] = [
    Measure { key: "binary_bytes", title: "binary", unit: Unit::Megabytes },
    Measure { key: "zip_bytes", title: "zip", unit: Unit::Megabytes },
    Measure { key: "peak_memory_bytes", title: "peak memory", unit: Unit::Megabytes },
];

const STARTS: [Measure; 3] = [
    Measure { key: "init_ms", title: "init", unit: Unit::Milliseconds },
    Measure { key: "init_unopened_ms", title: "no connection", unit: Unit::Milliseconds },
    Measure { key: "init_and_first_128_ms", title: "init + first at 128 MB", unit: Unit::Milliseconds },
];

const STARTS_CPU: [Measure; 2] = [
    Measure { key: "init_cpu_ms", title: "init", unit: Unit::Milliseconds },
    Measure { key: "init_unopened_cpu_ms", title: "no connection", unit: Unit::Milliseconds },
];

const FIRST: [Measure; 3] = [
    Measure { key: "first_128_ms", title: "at 128 MB", unit: Unit::Milliseconds },
    Measure { key: "first_256_ms", title: "at 256 MB", unit: Unit::Milliseconds },
    Measure { key: "first_512_ms", title: "at 512 MB", unit: Unit::Milliseconds },
];

const WARM: [Measure; 3] = [
    Measure { key: "warm_128_ms", title: "at 128 MB", unit: Unit::Milliseconds },
    Measure { key: "warm_256_ms", title: "at 256 MB", unit: Unit::Milliseconds },
    Measure { key: "warm_512_ms", title: "at 512 MB", unit: Unit::Milliseconds },
];

const LOGS: [Measure; 2] = [
    Measure { key: "log_bytes", title: "bytes", unit: Unit::Count },
    Measure { key: "log_lines", title: "lines", unit: Unit::Count },
];

/// The samples of a subject from all starts.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    observed: BTreeMap<String, Vec<f64>>,
}

impl Samples {
    /// Adds a sample of the measure `key`.
    pub(crate) fn add(&mut self, key: impl Into<String>, value: f64) {
        self.observed.entry(key.into()).or_default().push(value);
    }

    /// Returns the median of each measure.
    pub(crate) fn medians(mut self) -> BTreeMap<String, f64> {
        let medians = self.observed.iter_mut().filter_map(|(key, values)| Some((key.clone(), median(values)?)));
        medians.collect()
    }
}

/// The middle value, or the mean of the two middle values; `None` if there are no values.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// The results of a subject.
#[derive(Debug)]
pub(crate) struct Row {
    /// Name of the subject.
    pub(crate) name: String,
    /// Kind of the subject.
    pub(crate) kind: Kind,
    /// The medians by the keys of [`MEASURES`]. Measures without samples are absent.
    pub(crate) medians: BTreeMap<String, f64>,
    /// Whether a connection was open at the end of init, or the subject never needs one.
    pub(crate) connected_in_init: bool,
}

/// The results of all subjects, reference functions first.
#[derive(Debug)]
pub(crate) struct Results(pub(crate) Vec<Row>);

impl Results {
    /// Ratio of a row's median to that of the reference function `kind`. `None` if either is missing or the ratio is not
    /// finite.
    pub(crate) fn ratio(&self, row: &Row, kind: Kind, key: &str) -> Option<f64> {
        let reference = self.0.iter().find(|row| row.kind == kind)?.medians.get(key)?;
        let ratio = row.medians.get(key)? / reference;
        ratio.is_finite().then_some(ratio)
    }

    /// The results as JSON.
    pub(crate) fn json(&self) -> Value {
        self.0.iter().map(|row| self.row_json(row)).collect()
    }

    fn row_json(&self, row: &Row) -> Value {
        let medians: Map<_, _> = row
            .medians
            .iter()
            .map(|(key, value)| {
                let floor = self.ratio(row, Kind::Floor, key);
                let default = self.ratio(row, Kind::Default, key);
                (key.clone(), json!({ "value": value, "times_floor": floor, "of_default": default }))
            })
            .collect();
        let kind = match row.kind {
            Kind::Floor | Kind::Default => "yardstick",
            Kind::Http => "http",
            Kind::Event => "event",
        };
        json!({ "name": row.name, "kind": kind, "connected_in_init": row.connected_in_init, "figures": medians })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Name, kind and medians of a row.
    pub(crate) type RowSpec<'a> = (&'a str, Kind, &'a [(&'a str, f64)]);

    /// Builds results with `connected_in_init` set.
    pub(crate) fn results(rows: &[RowSpec<'_>]) -> Results {
        let row = |(name, kind, medians): &RowSpec<'_>| Row {
            name: (*name).to_owned(),
            kind: *kind,
            medians: medians.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
            connected_in_init: true,
        };
        Results(rows.iter().map(row).collect())
    }

    #[test]
    fn median_does_not_depend_on_the_order() {
        assert_eq!(median(&mut [9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 2.0]), Some(3.0));
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn json_contains_ratios_to_the_reference_functions() {
        let results = results(&[
            ("floor", Kind::Floor, &[("init_ms", 2.0), ("log_bytes", 0.0)]),
            ("default", Kind::Default, &[("init_ms", 10.0)]),
            ("f", Kind::Http, &[("init_ms", 5.0), ("log_bytes", 3.0)]),
        ]);
        assert_eq!(results.ratio(&results.0[2], Kind::Floor, "log_bytes"), None, "a ratio to zero");
        let data = results.json();
        assert_eq!(data[2]["figures"]["init_ms"], json!({"value": 5.0, "times_floor": 2.5, "of_default": 0.5}));
        let without_ratios = json!({"value": 3.0, "times_floor": null, "of_default": null});
        assert_eq!(data[2]["figures"]["log_bytes"], without_ratios);
    }

    #[test]
    fn table_has_columns_for_every_memory_size() {
        let shown: Vec<_> = MEASURES.iter().flat_map(|(_, measures)| measures.iter().map(|measure| measure.key)).collect();
        for memory in MEMORIES {
            assert!(shown.contains(&&*format!("first_{memory}_ms")) && shown.contains(&&*format!("warm_{memory}_ms")));
        }
    }
}
