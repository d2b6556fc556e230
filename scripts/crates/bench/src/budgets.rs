//! Checks the HTTP functions against their budgets.

use serde_json::{Value, json};

use crate::results::{Results, Row};
use crate::subject::Kind;
use ferrite_local_stack::binary_size::MAX_BINARY_BYTES;

/// A limit for every HTTP function.
struct Budget {
    what: &'static str,
    limit: f64,
    value: fn(&Results, &Row) -> Option<f64>,
}

const BUDGETS: [Budget; 4] = [
    Budget {
        what: "init without a connection, relative to the floor",
        limit: 1.75,
        value: |results, row| results.ratio(row, Kind::Floor, "init_unopened_ms"),
    },
    Budget {
        // The time that a client waits on a cold start. Prewarming makes init longer and the first request shorter.
        what: "init and first invocation at 128 MB, relative to the default",
        limit: 0.03,
        value: |results, row| results.ratio(row, Kind::Default, "init_and_first_128_ms"),
    },
    Budget {
        what: "binary size in bytes",
        limit: MAX_BINARY_BYTES as f64,
        value: |_, row| row.medians.get("binary_bytes").copied(),
    },
    Budget {
        what: "peak memory in bytes",
        limit: 8_000_000.0,
        value: |_, row| row.medians.get("peak_memory_bytes").copied(),
    },
];

/// The measured values of a budget.
pub(crate) struct BudgetOutcome {
    what: &'static str,
    limit: f64,
    /// The value of each HTTP function, worst first. `None` if the function has no samples for this budget.
    values: Vec<(String, Option<f64>)>,
}

/// Returns the outcome of each budget.
pub(crate) fn outcomes(results: &Results) -> Vec<BudgetOutcome> {
    let functions = || results.0.iter().filter(|row| row.kind == Kind::Http);
    let check = |budget: &Budget| {
        let mut values: Vec<_> = functions().map(|row| (row.name.clone(), (budget.value)(results, row))).collect();
        let sort_key = |value: &Option<f64>| value.unwrap_or(f64::INFINITY);
        values.sort_by(|(_, a), (_, b)| sort_key(b).total_cmp(&sort_key(a)));
        BudgetOutcome { what: budget.what, limit: budget.limit, values }
    };
    BUDGETS.iter().map(check).collect()
}

impl BudgetOutcome {
    fn within(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| value <= self.limit)
    }

    fn is_met(&self) -> bool {
        self.values.iter().all(|(_, value)| self.within(*value))
    }

    /// One line of text: whether the budget is met, and its largest value or the functions that exceed it.
    pub(crate) fn line(&self) -> String {
        let show = |(name, value): &(String, Option<f64>)| match value {
            Some(value) if self.limit > 1000.0 => format!("{name} {value:.0}"),
            Some(value) => format!("{name} {value:.3}"),
            None => format!("{name} not measured"),
        };
        let (outcome, named) = if self.is_met() {
            ("met    ", format!("largest: {}", self.values.first().map(show).unwrap_or_default()))
        } else {
            let over: Vec<_> = self.values.iter().filter(|(_, value)| !self.within(*value)).map(show).collect();
            ("NOT MET", over.join(", "))
        };
        format!("{outcome} {} at most {}: {named}", self.what, self.limit)
    }

    /// The outcome as JSON.
    pub(crate) fn json(&self) -> Value {
        let values: serde_json::Map<_, _> = self.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "budget": self.what, "limit": self.limit, "met": self.is_met(), "values": values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{RowSpec, results};

    const FLOOR: RowSpec<'_> = ("floor", Kind::Floor, &[("init_unopened_ms", 1.0)]);
    const DEFAULT: RowSpec<'_> = ("default", Kind::Default, &[("init_and_first_128_ms", 100.0)]);
    const GOOD: &[(&str, f64)] = &[
        ("init_unopened_ms", 1.75),
        ("init_and_first_128_ms", 3.0),
        ("binary_bytes", MAX_BINARY_BYTES as f64),
        ("peak_memory_bytes", 8_000_000.0),
    ];

    #[test]
    fn is_met_by_values_at_the_limit() {
        let outcomes = outcomes(&results(&[FLOOR, DEFAULT, ("good", Kind::Http, GOOD), ("event", Kind::Event, &[])]));
        assert!(
            outcomes.iter().all(BudgetOutcome::is_met),
            "{:?}",
            outcomes.iter().map(BudgetOutcome::line).collect::<Vec<_>>()
        );
    }

    #[test]
    fn names_the_function_that_exceeds_a_budget() {
        for index in 0..GOOD.len() {
            let mut bad = GOOD.to_vec();
            bad[index].1 *= 1.01;
            let outcomes = outcomes(&results(&[FLOOR, DEFAULT, ("good", Kind::Http, GOOD), ("bad", Kind::Http, &bad)]));
            let not_met: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_met()).collect();
            let [outcome] = not_met[..] else { panic!("{index}: {} budgets are not met", not_met.len()) };
            assert!(outcome.line().contains("bad") && !outcome.line().contains("good"), "{}", outcome.line());
        }
    }
}
