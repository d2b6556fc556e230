//! The reported figures: medians of the samples, and their ratios to the yardsticks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::subject::Kind;

/// The memory sizes in megabytes that invocations are measured with.
pub(crate) const MEMORIES: [u32; 3] = [128, 256, 512];

/// A measure of a subject.
pub(crate) struct Measure {
    /// Its name in the data, with its unit.
    pub(crate) key: &'static str,
    /// Its name in the table.
    pub(crate) title: &'static str,
    /// How the table shows it.
    pub(crate) unit: Unit,
}

/// How the table shows a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Bytes as millions of them.
    Megabytes,
    /// Milliseconds.
    Milliseconds,
    /// A plain number.
    Count,
}

/// All of them, in the order of the table's parts.
pub(crate) const MEASURES: [(&str, &[Measure]); 6] = [
    ("Size and memory", &SIZES),
    ("Start, at full CPU: spawn and exec to the first GET /next", &STARTS),
    ("The same start, only what it spent on a CPU", &STARTS_CPU),
    ("First invocation", &FIRST),
    ("Warm invocation: the mean of those of one start, one right after the other", &WARM),
    ("Log of a warm invocation", &LOGS),
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

/// The samples of a subject, from all starts.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    observed: BTreeMap<String, Vec<f64>>,
}

impl Samples {
    /// Adds one observation under the key of its measure.
    pub(crate) fn add(&mut self, key: impl Into<String>, value: f64) {
        self.observed.entry(key.into()).or_default().push(value);
    }

    /// The median of each.
    pub(crate) fn medians(mut self) -> BTreeMap<String, f64> {
        let medians = self.observed.iter_mut().filter_map(|(key, values)| Some((key.clone(), median(values)?)));
        medians.collect()
    }
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// A subject with its figures.
#[derive(Debug)]
pub(crate) struct Row {
    /// The subject's name.
    pub(crate) name: String,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its figures under the keys of [`MEASURES`]; a measure without samples is missing.
    pub(crate) figures: BTreeMap<String, f64>,
    /// Whether it had a connection open when its init ended, or never needs one.
    pub(crate) connected_in_init: bool,
}

/// Every subject, the yardsticks first.
#[derive(Debug)]
pub(crate) struct Rows(pub(crate) Vec<Row>);

impl Rows {
    /// How many times the figure of the yardstick `kind` a row's figure is.
    pub(crate) fn ratio(&self, row: &Row, kind: Kind, key: &str) -> Option<f64> {
        let yardstick = self.0.iter().find(|row| row.kind == kind)?.figures.get(key)?;
        let ratio = row.figures.get(key)? / yardstick;
        ratio.is_finite().then_some(ratio)
    }

    /// The rows as data.
    pub(crate) fn json(&self) -> Value {
        self.0.iter().map(|row| self.row_json(row)).collect()
    }

    fn row_json(&self, row: &Row) -> Value {
        let figures: Map<_, _> = row
            .figures
            .iter()
            .map(|(key, value)| {
                let (floor, default) = (self.ratio(row, Kind::Floor, key), self.ratio(row, Kind::Default, key));
                (key.clone(), json!({ "value": value, "times_floor": floor, "of_default": default }))
            })
            .collect();
        let kind = match row.kind {
            Kind::Floor | Kind::Default => "yardstick",
            Kind::Http => "http",
            Kind::Event => "event",
        };
        json!({ "name": row.name, "kind": kind, "connected_in_init": row.connected_in_init, "figures": figures })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row in short: name, kind, figures.
    pub(crate) type Short<'a> = (&'a str, Kind, &'a [(&'a str, f64)]);

    /// Rows that opened their connections.
    pub(crate) fn rows(rows: &[Short<'_>]) -> Rows {
        let row = |(name, kind, figures): &Short<'_>| Row {
            name: (*name).to_owned(),
            kind: *kind,
            figures: figures.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
            connected_in_init: true,
        };
        Rows(rows.iter().map(row).collect())
    }

    #[test]
    fn a_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(&mut [9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 2.0]), Some(3.0));
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn figures_come_with_their_ratios() {
        let rows = rows(&[
            ("floor", Kind::Floor, &[("init_ms", 2.0), ("log_bytes", 0.0)]),
            ("default", Kind::Default, &[("init_ms", 10.0)]),
            ("f", Kind::Http, &[("init_ms", 5.0), ("log_bytes", 3.0)]),
        ]);
        assert_eq!(rows.ratio(&rows.0[2], Kind::Floor, "log_bytes"), None, "there is nothing that 3 is times 0");
        let data = rows.json();
        assert_eq!(data[2]["figures"]["init_ms"], json!({"value": 5.0, "times_floor": 2.5, "of_default": 0.5}));
        let nothing_to_compare_with = json!({"value": 3.0, "times_floor": null, "of_default": null});
        assert_eq!(data[2]["figures"]["log_bytes"], nothing_to_compare_with);
    }

    #[test]
    fn every_memory_that_is_measured_is_shown() {
        let shown: Vec<_> = MEASURES.iter().flat_map(|(_, measures)| measures.iter().map(|measure| measure.key)).collect();
        for memory in MEMORIES {
            assert!(shown.contains(&&*format!("first_{memory}_ms")) && shown.contains(&&*format!("warm_{memory}_ms")));
        }
    }
}
