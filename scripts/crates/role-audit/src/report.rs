//! Checks the roles of a test run, and keeps and prints the table.

use std::fs;
use std::path::{Path, PathBuf};

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_proxy::recorder::Recorder;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{print, report, seconds};
use ferrite_local_stack::files::{FileError, at};

use crate::comparison::{Row, compare};
use crate::roles::{Function, RolesError, in_partitions, needed_by_lambda, policies};

/// Why the permissions are not known, or not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no record.
    #[error("nothing is recorded yet: ./scripts/test, without a filter, records what its end-to-end tests need")]
    NotRecorded,
    /// The record is from another version.
    #[error("{} cannot be read: {reason}; the next ./scripts/test writes a new one", path.display())]
    Unreadable {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// The roles differ from the record. Each finding was printed.
    #[error("the roles differ from what the functions use: {0} findings")]
    Findings(usize),
    /// The roles could not be read.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// The record could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Compares the functions' roles with the record, and keeps the table in the folder of the run.
///
/// # Errors
/// When a role allows more or less than is used. Each finding is printed.
pub fn check(aws: &AwsClient, functions: &[Function], recorder: &Recorder, run_folder: &Path) -> Result<(), AuditError> {
    let grants: Vec<_> = policies(aws, functions)?.iter().flat_map(|policy| policy.grants().collect::<Vec<_>>()).collect();
    let record = recorder.record();
    let (rows, findings) = compare(&grants, &needed_by_lambda(aws, functions)?, &record);
    let path = kept_in(run_folder);
    let text = serde_json::to_string(&rows).map_err(|reason| AuditError::Unreadable { path: path.clone(), reason })?;
    fs::write(&path, text).map_err(at(&path))?;
    for finding in &findings {
        report(&format!("  {finding}"));
    }
    if !findings.is_empty() {
        return Err(AuditError::Findings(findings.len()));
    }
    let calls: u64 = record.values().map(|times| times.handled + times.prewarmed + times.denied).sum();
    report(&format!("  {} functions, {} permissions, {calls} calls", functions.len(), rows.len()));
    Ok(())
}

/// Prints the table of the last complete run of `./scripts/test`.
///
/// # Errors
/// When there was none.
pub fn show(checkout: &Checkout) -> Result<(), AuditError> {
    let path = kept_in(&checkout.run_folder("test")?);
    let text = fs::read_to_string(&path).map_err(|_| AuditError::NotRecorded)?;
    let rows: Vec<Row> =
        serde_json::from_str(&text).map_err(|reason| AuditError::Unreadable { path: path.clone(), reason })?;
    let written = fs::metadata(&path).and_then(|file| file.modified()).map_err(at(&path))?;
    table(&rows).iter().for_each(|line| print(line));
    let ago = seconds(written.elapsed().unwrap_or_default());
    report(&format!("(used by the end-to-end tests of the ./scripts/test that ended {ago} ago)"));
    Ok(())
}

fn kept_in(run_folder: &Path) -> PathBuf {
    run_folder.join("permissions.json")
}

/// A line for each permission: function, action, how often it was used, resource and partitions.
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

/// A resource without its partition, service, region and account.
fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Grant;

    #[test]
    fn the_table_lists_permissions_with_their_uses() {
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
