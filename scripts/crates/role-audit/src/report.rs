//! Checks the roles of a test run, and saves and prints the table of permissions.

use std::fs;
use std::path::{Path, PathBuf};

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_proxy::recorder::Recorder;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{format_duration, print, report};
use ferrite_local_stack::files::{FileError, at};

use crate::comparison::{Row, compare};
use crate::roles::{Function, RolesError, in_partitions, needed_by_lambda, policies};

/// An error of the audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// No test run has saved a table yet.
    #[error("no permissions are recorded yet; run ./scripts/test without a filter to record them")]
    NotRecorded,
    /// The saved table cannot be parsed, for example because another version wrote it.
    #[error("cannot read {}: {reason}; the next ./scripts/test writes a new file", path.display())]
    Unreadable {
        /// The path of the table.
        path: PathBuf,
        /// The parse error.
        reason: serde_json::Error,
    },
    /// The roles differ from the record. The findings have been printed; this is their number.
    #[error("the roles differ from what the functions use: {0} findings")]
    Findings(usize),
    /// The roles cannot be read.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// The table cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Compares the functions' roles with the record, and saves the table in `run_folder`. Prints each finding.
///
/// # Errors
/// Returns an error if a role allows more or less than is used, or if the roles cannot be read.
pub fn check(aws: &AwsClient, functions: &[Function], recorder: &Recorder, run_folder: &Path) -> Result<(), AuditError> {
    let grants: Vec<_> = policies(aws, functions)?.iter().flat_map(|policy| policy.grants().collect::<Vec<_>>()).collect();
    let record = recorder.record();
    let (rows, findings) = compare(&grants, &needed_by_lambda(aws, functions)?, &record);
    let path = table_path(run_folder);
    let text = serde_json::to_string(&rows).map_err(|reason| AuditError::Unreadable { path: path.clone(), reason })?;
    fs::write(&path, text).map_err(at(&path))?;
    for finding in &findings {
        report(&format!("  {finding}"));
    }
    if !findings.is_empty() {
        return Err(AuditError::Findings(findings.len()));
    }
    let calls: u64 = record.values().map(|counts| counts.handled + counts.prewarmed + counts.denied).sum();
    report(&format!("  {} functions, {} permissions, {calls} calls", functions.len(), rows.len()));
    Ok(())
}

/// Prints the table of the last complete run of `./scripts/test`.
///
/// # Errors
/// Returns an error if there was no such run, or if its table cannot be read.
pub fn show(checkout: &Checkout) -> Result<(), AuditError> {
    let path = table_path(&checkout.run_folder("test")?);
    let text = fs::read_to_string(&path).map_err(|_| AuditError::NotRecorded)?;
    let rows: Vec<Row> =
        serde_json::from_str(&text).map_err(|reason| AuditError::Unreadable { path: path.clone(), reason })?;
    let written = fs::metadata(&path).and_then(|file| file.modified()).map_err(at(&path))?;
    table(&rows).iter().for_each(|line| print(line));
    let ago = format_duration(written.elapsed().unwrap_or_default());
    report(&format!("(recorded by the ./scripts/test that ended {ago} ago)"));
    Ok(())
}

fn table_path(run_folder: &Path) -> PathBuf {
    run_folder.join("permissions.json")
}

/// The lines of the table: function, action, number of uses, resource and partitions of each permission.
fn table(rows: &[Row]) -> Vec<String> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| &row.grant);
    let mut lines = vec![format!("{:<22} {:<27} {:>6}  resource", "function", "action", "uses")];
    let mut previous = "";
    for Row { grant, uses, by_lambda } in rows {
        let function = if grant.function == previous { "" } else { &grant.function };
        previous = &grant.function;
        let uses = if *uses == 0 { "–".to_owned() } else { uses.to_string() };
        let by_lambda = by_lambda.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let resource = format!("{}{}", short_arn(&grant.resource), in_partitions(&grant.keys));
        lines.push(format!("{function:<22} {:<27} {uses:>6}  {resource}{by_lambda}", grant.action));
    }
    lines
}

/// An ARN without its partition, service, region and account.
fn short_arn(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Grant;

    #[test]
    fn the_table_lists_permissions_with_their_uses() {
        let row = |action: &str, resource: &str, keys: &[&str], uses, by_lambda: Option<&str>| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let grant = Grant { keys, ..Grant::new("get-note", action, resource) };
            Row { grant, uses, by_lambda: by_lambda.map(str::to_owned) }
        };
        let log = "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/get-note:*";
        let rows = [
            row("logs:PutLogEvents", log, &[], 0, Some("Lambda writes the log")),
            row("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/t", &["USER#*", "NONE"], 7, None),
        ];
        assert_eq!(
            table(&rows),
            [
                "function               action                        uses  resource",
                "get-note               dynamodb:GetItem                 7  table/t [USER#*, NONE]",
                "                       logs:PutLogEvents                –  log-group:/aws/lambda/get-note:* (Lambda writes the log)",
            ]
        );
    }
}
