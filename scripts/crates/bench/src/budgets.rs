//! Whether the HTTP functions keep within what was promised of them.

use serde_json::{Value, json};

use super::figures::{Row, Rows};
use super::subject::Kind;
use crate::budget;

/// A promise about every HTTP function.
struct Budget {
    what: &'static str,
    limit: f64,
    value: fn(&Rows, &Row) -> Option<f64>,
}

const BUDGETS: [Budget; 5] = [
    Budget {
        what: "init, its connection opened, in floors",
        limit: 2.5,
        value: |rows, row| rows.ratio(row, Kind::Floor, "init_ms").filter(|_| row.connected_in_init),
    },
    Budget {
        what: "init without the connection, in floors",
        limit: 1.6,
        value: |rows, row| rows.ratio(row, Kind::Floor, "init_unopened_ms"),
    },
    Budget {
        what: "init and first invocation at 128 MB, in defaults",
        limit: 0.2,
        value: |rows, row| rows.ratio(row, Kind::Default, "init_and_first_128_ms"),
    },
    Budget {
        what: "binary in bytes",
        limit: budget::BINARY as f64,
        value: |_, row| row.figures.get("binary_bytes").copied(),
    },
    Budget {
        what: "peak memory in bytes",
        limit: 8_000_000.0,
        value: |_, row| row.figures.get("peak_memory_bytes").copied(),
    },
];

/// What became of one budget.
pub(super) struct Verdict {
    what: &'static str,
    limit: f64,
    /// Each HTTP function with its value, the worst first. Without one, the function did not do what the budget is about.
    values: Vec<(String, Option<f64>)>,
}

/// What became of each budget.
pub(super) fn verdicts(rows: &Rows) -> Vec<Verdict> {
    let functions = || rows.0.iter().filter(|row| row.kind == Kind::Http);
    let judge = |budget: &Budget| {
        let mut values: Vec<_> = functions().map(|row| (row.name.clone(), (budget.value)(rows, row))).collect();
        let weight = |value: &Option<f64>| value.unwrap_or(f64::INFINITY);
        values.sort_by(|(_, one), (_, other)| weight(other).total_cmp(&weight(one)));
        Verdict { what: budget.what, limit: budget.limit, values }
    };
    BUDGETS.iter().map(judge).collect()
}

impl Verdict {
    fn within(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| value <= self.limit)
    }

    fn is_met(&self) -> bool {
        self.values.iter().all(|(_, value)| self.within(*value))
    }

    /// One line: whether it is met, and by how much, or by which functions it is not.
    pub(super) fn line(&self) -> String {
        let show = |(name, value): &(String, Option<f64>)| match value {
            Some(value) if self.limit > 1000.0 => format!("{name} {value:.0}"),
            Some(value) => format!("{name} {value:.2}"),
            None => format!("{name} does not"),
        };
        let (verdict, named) = if self.is_met() {
            ("met    ", format!("largest: {}", self.values.first().map(show).unwrap_or_default()))
        } else {
            let over: Vec<_> = self.values.iter().filter(|(_, value)| !self.within(*value)).map(show).collect();
            ("NOT MET", over.join(", "))
        };
        format!("{verdict} {} at most {}: {named}", self.what, self.limit)
    }

    /// The same as data.
    pub(super) fn json(&self) -> Value {
        let values: serde_json::Map<_, _> = self.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "budget": self.what, "limit": self.limit, "met": self.is_met(), "values": values })
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::{Short, rows};
    use super::*;

    const FLOOR: Short<'_> = ("floor", Kind::Floor, &[("init_ms", 1.0), ("init_unopened_ms", 1.0)]);
    const DEFAULT: Short<'_> = ("default", Kind::Default, &[("init_and_first_128_ms", 100.0)]);
    const GOOD: &[(&str, f64)] = &[
        ("init_ms", 2.5),
        ("init_unopened_ms", 1.6),
        ("init_and_first_128_ms", 20.0),
        ("binary_bytes", 4_000_000.0),
        ("peak_memory_bytes", 8_000_000.0),
    ];

    #[test]
    fn what_is_just_within_every_budget_meets_all() {
        let verdicts = verdicts(&rows(&[FLOOR, DEFAULT, ("good", Kind::Http, GOOD), ("large", Kind::Event, &[])]));
        assert!(verdicts.iter().all(Verdict::is_met), "{:?}", verdicts.iter().map(Verdict::line).collect::<Vec<_>>());
    }

    #[test]
    fn one_function_over_a_budget_is_named() {
        for over in 0..GOOD.len() {
            let mut bad = GOOD.to_vec();
            bad[over].1 *= 1.01;
            let verdicts = verdicts(&rows(&[FLOOR, DEFAULT, ("good", Kind::Http, GOOD), ("bad", Kind::Http, &bad)]));
            let not_met: Vec<_> = verdicts.iter().filter(|verdict| !verdict.is_met()).collect();
            let [verdict] = not_met[..] else { panic!("{over}: {} budgets are not met", not_met.len()) };
            assert!(verdict.line().contains("bad") && !verdict.line().contains("good"), "{}", verdict.line());
        }
    }

    #[test]
    fn an_init_that_opens_no_connection_is_not_a_quick_one() {
        let mut rows = rows(&[FLOOR, DEFAULT, ("idle", Kind::Http, GOOD)]);
        rows.0[2].connected_in_init = false;
        assert_eq!(verdicts(&rows)[0].json()["met"], false);
    }
}
