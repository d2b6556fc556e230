//! Formats the results as a table.

use crate::budgets::BudgetOutcome;
use crate::conditions::Conditions;
use crate::figures::{MEASURES, Measure, Row, Rows, Unit};
use crate::subject::Kind;

const NAME: usize = 22;
const FIGURE: usize = 12;
const RATIO: usize = 8;

/// Formats the conditions, a section for each group of measures, and a line for each budget.
pub(crate) fn text(conditions: &Conditions, rows: &Rows, outcomes: &[BudgetOutcome]) -> String {
    let mut text = conditions.text();
    text.push_str("\nEach figure is followed by its ratios to the floor and to the default.\n");
    for (title, measures) in MEASURES {
        text.push_str(&format!("\n{title}\n{:NAME$}", ""));
        for measure in measures {
            let width = FIGURE + 2 * RATIO;
            text.push_str(&format!("{:>width$}", measure.title));
        }
        text.push('\n');
        for row in &rows.0 {
            text.push_str(&line(rows, row, measures));
        }
    }
    text.push_str("\nBudgets of the HTTP functions\n");
    for outcome in outcomes {
        text.push_str(&format!("{}\n", outcome.line()));
    }
    text
}

fn line(rows: &Rows, row: &Row, measures: &[Measure]) -> String {
    let mut line = format!("{:NAME$}", row.name);
    for Measure { key, unit, .. } in measures {
        let figure = row.figures.get(*key).map(|value| match unit {
            Unit::Megabytes => format!("{:.2} MB", value / 1e6),
            Unit::Milliseconds => format!("{value:.2} ms"),
            Unit::Count => format!("{value:.0}"),
        });
        let floor = rows.ratio(row, Kind::Floor, key).map(|ratio| format!("{}x", three_digits(ratio)));
        let default = rows.ratio(row, Kind::Default, key).map(three_digits);
        let dash = || "–".to_owned();
        let figure = figure.unwrap_or_else(dash);
        let floor = floor.unwrap_or_else(dash);
        let default = default.unwrap_or_else(dash);
        line.push_str(&format!("{figure:>FIGURE$}{floor:>RATIO$}{default:>RATIO$}"));
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
