//! `scripts/permissions`: what each function's role allows, and the proof that it is no more than the function needs.
//!
//! While `scripts/test` runs the end-to-end tests, the functions' calls go through a proxy ([`recorder`]). What it saw is
//! compared with the deployed roles ([`roles`], [`comparison`]). That template.yaml names every action and resource is a
//! unit test (`written`), and that the tests notice what is taken away is [`removal`].

pub mod comparison;
pub mod recorder;
pub mod removal;
pub mod roles;
#[cfg(test)]
mod written;

use std::fs;
use std::path::{Path, PathBuf};

use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::console::{print, say, seconds};
use crate::trouble::{Trouble, at};
use comparison::{Row, compare};
use recorder::Recorder;
use roles::{Function, in_partitions, needed_by_lambda, policies};

/// Why the permissions are not known, or not right.
#[derive(Debug, thiserror::Error)]
pub enum PermissionsError {
    /// There is no record.
    #[error("nothing is recorded yet: ./scripts/test, without a filter, records what its end-to-end tests need")]
    NotRecorded,
    /// The record is another version's.
    #[error("{}: {reason}; the next ./scripts/test writes it anew", path.display())]
    Unreadable {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// Each has been said.
    #[error("the roles allow something else than what is needed: {0} findings")]
    Findings(usize),
    /// Another run has the folder and the stack.
    #[error("./scripts/permissions --without runs in this checkout already")]
    RunsAlready,
    /// Without anything taken out.
    #[error("{0} fails although nothing was taken out")]
    FailsAnyway(String),
    /// Grants that could be taken out without a test failing for that.
    #[error("no test shows the need of these: {0}")]
    Unnoticed(String),
}

/// Compares what the functions' roles allow with what `recorder` has seen, and keeps the table in the run's folder.
///
/// # Errors
/// When a role allows more than somebody needs, or less; each finding is printed.
pub fn check(aws: &Aws, functions: &[Function], recorder: &Recorder, run_folder: &Path) -> Result<(), Trouble> {
    let grants: Vec<_> = policies(aws, functions)?.iter().flat_map(|policy| policy.grants().collect::<Vec<_>>()).collect();
    let record = recorder.record();
    let (rows, findings) = compare(&grants, &needed_by_lambda(aws, functions)?, &record);
    let path = kept_in(run_folder);
    let text = serde_json::to_string(&rows).map_err(|reason| PermissionsError::Unreadable { path: path.clone(), reason })?;
    fs::write(&path, text).map_err(at(&path))?;
    for finding in &findings {
        say(&format!("  {finding}"));
    }
    if !findings.is_empty() {
        return Err(PermissionsError::Findings(findings.len()).into());
    }
    let calls: u64 = record.values().map(|times| times.handled + times.opened + times.refused).sum();
    say(&format!("  {} functions, {} permissions, {calls} calls", functions.len(), rows.len()));
    Ok(())
}

/// Runs `scripts/permissions`: prints the table of the last run of `scripts/test` that was whole.
///
/// # Errors
/// When there was none.
pub fn show(checkout: &Checkout) -> Result<(), Trouble> {
    let path = kept_in(&checkout.run_folder("test")?);
    let text = fs::read_to_string(&path).map_err(|_| PermissionsError::NotRecorded)?;
    let rows: Vec<Row> =
        serde_json::from_str(&text).map_err(|reason| PermissionsError::Unreadable { path: path.clone(), reason })?;
    let written = fs::metadata(&path).and_then(|file| file.modified()).map_err(at(&path))?;
    table(&rows).iter().for_each(|line| print(line));
    let ago = seconds(written.elapsed().unwrap_or_default());
    say(&format!("(seen by the end-to-end tests of the ./scripts/test that ended {ago} ago)"));
    Ok(())
}

fn kept_in(run_folder: &Path) -> PathBuf {
    run_folder.join("permissions.json")
}

/// A line for each permission: function, action, how often it was used, resource, and its partitions.
fn table(rows: &[Row]) -> Vec<String> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| &row.grant);
    let mut lines = vec![format!("{:<22} {:<27} {:>6}  resource", "function", "action", "seen")];
    let mut last = "";
    for Row { grant, seen, by_lambda } in rows {
        let function = if grant.function == last { "" } else { &grant.function };
        last = &grant.function;
        let seen = if *seen == 0 { "–".to_owned() } else { seen.to_string() };
        let by = by_lambda.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let on = format!("{}{}", short(&grant.resource), in_partitions(&grant.keys));
        lines.push(format!("{function:<22} {:<27} {seen:>6}  {on}{by}", grant.action));
    }
    lines
}

/// A resource without what the whole stack has in common: partition, service, region and account.
fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::roles::Grant;
    use super::*;

    #[test]
    fn the_table_says_who_may_do_what_and_how_often_that_was_seen() {
        let row = |action: &str, resource: &str, keys: &[&str], seen, by_lambda: Option<&str>| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let grant = Grant { keys, ..Grant::of("get-order", action, resource) };
            Row { grant, seen, by_lambda: by_lambda.map(str::to_owned) }
        };
        let log = "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/get-order:*";
        let rows = [
            row("logs:PutLogEvents", log, &[], 0, Some("Lambda writes the log")),
            row("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/t", &["CUSTOMER#*", "NONE"], 7, None),
        ];
        assert_eq!(
            table(&rows),
            [
                "function               action                        seen  resource",
                "get-order              dynamodb:GetItem                 7  table/t [CUSTOMER#*, NONE]",
                "                       logs:PutLogEvents                –  log-group:/aws/lambda/get-order:* (Lambda writes the log)",
            ]
        );
    }
}
