//! Formats the results as a table.

use crate::budgets::BudgetOutcome;
use crate::conditions::Conditions;
use crate::results::{MEASURES, Measure, Results, Row, Unit};
use crate::subject::Kind;

const NAME: usize = 22;
const VALUE: usize = 12;
const RATIO: usize = 8;

/// Formats the conditions, a section for each group of measures, and a line for each budget.
pub(crate) fn text(conditions: &Conditions, results: &Results, outcomes: &[BudgetOutcome]) -> String {
    let mut text = conditions.text();
    text.push_str("\nEach median is followed by its ratios to the floor and to the default.\n");
    for (title, measures) in MEASURES {
        text.push_str(&format!("\n{title}\n{:NAME$}", ""));
        for measure in measures {
            let width = VALUE + 2 * RATIO;
            text.push_str(&format!("{:>width$}", measure.title));
        }
        text.push('\n');
        for row in &results.0 {
            text.push_str(&line(results, row, measures));
        }
    }
    text.push_str("\nBudgets of the HTTP functions\n");
    for outcome in outcomes {
        text.push_str(&format!("{}\n", outcome.line()));
    }
    text
}

fn line(results: &Results, row: &Row, measures: &[Measure]) -> String {
    let mut line = format!("{:NAME$}", row.name);
    for Measure { key, unit, .. } in measures {
        let median = row.medians.get(*key).map(|value| match unit {
            Unit::Megabytes => format!("{:.2} MB", value / 1e6),
            Unit::Milliseconds => format!("{value:.2} ms"),
            Unit::Count => format!("{value:.0}"),
        });
        let floor = results.ratio(row, Kind::Floor, key).map(|ratio| format!("{}x", three_digits(ratio)));
        let default = results.ratio(row, Kind::Default, key).map(three_digits);
        let dash = || "–".to_owned();
        let median = median.unwrap_or_else(dash);
        let floor = floor.unwrap_or_else(dash);
        let default = default.unwrap_or_else(dash);
        line.push_str(&format!("{median:>VALUE$}{floor:>RATIO$}{default:>RATIO$}"));
    }
    line.push('\n');
    line
}

/// Rounds a ratio to three significant digits, because more are not meaningful.
fn three_digits(ratio: f64) -> String {
    match ratio {
        ..10.0 => format!("{ratio:.2}"),
        10.0..100.0 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}
