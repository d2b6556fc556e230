//! Compares the roles with the record.

use std::collections::BTreeMap;
use std::fmt;

use ferrite_aws_proxy::record::{UseCounts, UsedPermission};
use serde::{Deserialize, Serialize};

use crate::roles::{ByLambda, Grant};

/// A grant, and who uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What is allowed.
    #[serde(flatten)]
    pub grant: Grant,
    /// How often the function used it, not counting prewarm calls.
    pub seen: u64,
    /// Why Lambda itself needs it, where it does.
    pub by_lambda: Option<String>,
}

/// A difference between the roles and the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Allowed, but not used.
    Unused(Grant),
    /// Allowed in a partition in which it is not used.
    UnusedIn(Grant, String),
    /// Used by the function, but not allowed.
    Missing(Grant),
    /// UsedPermissioned by Lambda itself, and not allowed.
    MissingForLambda(Grant, ByLambda),
    /// No prewarm call was recorded, so the record no longer identifies them.
    NothingPrewarmed,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unused(grant) => write!(f, "{} may {}, but no test uses it", grant.function, grant.describe()),
            Self::UnusedIn(grant, key) => {
                write!(f, "{} may {}, but no test uses {key}", grant.function, grant.describe())
            }
            Self::Missing(grant) => {
                write!(f, "{} uses {}, which its role does not allow", grant.function, grant.describe())
            }
            Self::MissingForLambda(grant, by) => {
                write!(f, "{}'s role does not allow {}: {}", grant.function, grant.describe(), by.reason())
            }
            Self::NothingPrewarmed => f.write_str(
                "no prewarm call was recorded: tests/aws-proxy/src/record.rs identifies them by the keys that shared/aws uses",
            ),
        }
    }
}

/// Compares the two. A grant that only prewarm calls use counts as unused.
#[must_use]
pub fn compare(
    grants: &[Grant],
    by_lambda: &[(Grant, ByLambda)],
    record: &BTreeMap<UsedPermission, UseCounts>,
) -> (Vec<Row>, Vec<Finding>) {
    let reason = |grant: &Grant| by_lambda.iter().find(|(needed, _)| needed == grant).map(|(_, by)| by.reason().to_owned());
    let seen = |grant: &Grant| record.iter().filter(|(need, _)| covers(grant, need)).map(|(_, times)| times.handled).sum();
    let row = |grant: &Grant| Row { grant: grant.clone(), seen: seen(grant), by_lambda: reason(grant) };
    let rows: Vec<Row> = grants.iter().map(row).collect();

    let unneeded = rows.iter().filter(|row| row.seen == 0 && row.by_lambda.is_none());
    let mut findings: Vec<_> = unneeded.map(|row| Finding::Unused(row.grant.clone())).collect();
    for row in rows.iter().filter(|row| row.seen > 0) {
        let of_row = || record.keys().filter(|need| covers(&row.grant, need)).flat_map(|need| &need.keys);
        let unneeded = row.grant.keys.iter().filter(|pattern| !of_row().any(|key| matches(pattern, key)));
        findings.extend(unneeded.map(|pattern| Finding::UnusedIn(row.grant.clone(), pattern.clone())));
    }
    let not_allowed = record.keys().filter(|need| !grants.iter().any(|grant| covers(grant, need)));
    findings.extend(not_allowed.map(|need| Finding::Missing(as_grant(need))));
    let missing = by_lambda.iter().filter(|(needed, _)| !grants.contains(needed));
    findings.extend(missing.map(|(needed, by)| Finding::MissingForLambda(needed.clone(), *by)));
    if record.values().all(|times| times.prewarmed == 0) {
        findings.push(Finding::NothingPrewarmed);
    }
    (rows, findings)
}

/// Whether a grant allows a used permission, in all of its partitions.
#[must_use]
pub fn covers(grant: &Grant, need: &UsedPermission) -> bool {
    let allowed = |key| grant.keys.iter().any(|pattern| matches(pattern, key));
    grant.function == need.function
        && grant.action == need.action
        && matches(&grant.resource, &need.resource)
        && (grant.keys.is_empty() || need.keys.iter().all(|key| allowed(key)))
}

fn as_grant(need: &UsedPermission) -> Grant {
    let keys = need.keys.iter().cloned().collect();
    Grant { keys, ..Grant::of(&need.function, &need.action, &need.resource) }
}

/// Whether a resource matches a pattern, in which `*` stands for any text and `?` for any character ("IAM JSON policy
/// elements: Resource").
fn matches(pattern: &str, resource: &str) -> bool {
    let mut rest = resource.chars();
    let mut pattern = pattern.chars();
    while let Some(expected) = pattern.next() {
        match expected {
            '*' => {
                let pattern = pattern.as_str();
                return (0..=rest.as_str().len())
                    .filter_map(|skipped| rest.as_str().get(skipped..))
                    .any(|rest| matches(pattern, rest));
            }
            '?' if rest.next().is_some() => {}
            _ if rest.next() == Some(expected) => {}
            _ => return false,
        }
    }
    rest.as_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:1:table/shop";
    const LOG: &str = "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/shop-get:*";

    fn grant(action: &str, resource: &str) -> Grant {
        Grant::of("get", action, resource)
    }

    fn in_partitions(grant: &Grant, keys: &[&str]) -> Grant {
        Grant { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..grant.clone() }
    }

    fn used(function: &str, action: &str, resource: &str, handled: u64, opened: u64) -> (UsedPermission, UseCounts) {
        let [function, action, resource] = [function, action, resource].map(str::to_owned);
        (UsedPermission { function, action, resource, keys: [].into() }, UseCounts { handled, prewarmed: opened, denied: 0 })
    }

    /// The findings for these grants and this record. The log is always written, and allowed.
    fn findings(allowed: &[Grant], record: &[(UsedPermission, UseCounts)]) -> Vec<Finding> {
        let log = grant("logs:PutLogEvents", LOG);
        let grants: Vec<_> = allowed.iter().cloned().chain([log.clone()]).collect();
        let opened = used("get", "logs:PutLogEvents", LOG, 0, 1);
        compare(&grants, &[(log, ByLambda::Logs)], &record.iter().cloned().chain([opened]).collect()).1
    }

    #[test]
    fn counts_uses_over_all_resources_of_a_pattern() {
        let images = grant("s3:GetObject", "arn:aws:s3:::shop/images/*");
        let object = |key: &str| used("get", "s3:GetObject", &format!("arn:aws:s3:::shop/images/{key}"), 2, 1);
        let (rows, found) = compare(std::slice::from_ref(&images), &[], &[object("a/b.jpg"), object("c")].into());
        assert_eq!(rows, [Row { grant: images, seen: 4, by_lambda: None }]);
        assert_eq!(found, []);
    }

    #[test]
    fn finds_unused_grants() {
        let get = grant("dynamodb:GetItem", TABLE);
        let unneeded = [Finding::Unused(get.clone())];
        assert_eq!(findings(std::slice::from_ref(&get), &[]), unneeded);
        let by_prewarm_only = used("get", "dynamodb:GetItem", TABLE, 0, 3);
        assert_eq!(findings(std::slice::from_ref(&get), &[by_prewarm_only]), unneeded);
        let by_prewarm_too = used("get", "dynamodb:GetItem", TABLE, 1, 3);
        assert_eq!(findings(&[get], &[by_prewarm_too]), []);
    }

    #[test]
    fn finds_missing_grants() {
        let get = grant("dynamodb:GetItem", TABLE);
        let record = used("get", "dynamodb:GetItem", TABLE, 1, 0);
        for (function, action, resource) in [
            ("list", "dynamodb:GetItem", TABLE),
            ("get", "dynamodb:PutItem", TABLE),
            ("get", "dynamodb:GetItem", "arn:other"),
        ] {
            for (handled, opened) in [(1, 0), (0, 1), (0, 0)] {
                let other = used(function, action, resource, handled, opened);
                let missing = [Finding::Missing(as_grant(&other.0))];
                assert_eq!(findings(std::slice::from_ref(&get), &[record.clone(), other]), missing, "{function} {action}");
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_allowed_in_each_partition_and_every_partition_is_asked_for() {
        let get = grant("dynamodb:GetItem", TABLE);
        let used_in = |keys: &[&str], opened| {
            let (need, times) = used("get", "dynamodb:GetItem", TABLE, 1 - opened, opened);
            (UsedPermission { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..need }, times)
        };
        let found =
            |allowed: &[&str], record: &[(UsedPermission, UseCounts)]| findings(&[in_partitions(&get, allowed)], record);
        let ours = used_in(&["A#*"], 0);
        let both = used_in(&["A#*", "B#*"], 0);
        let opening = used_in(&["NONE"], 1);
        assert_eq!(found(&["A#*", "NONE"], &[ours.clone(), opening.clone()]), []);
        assert_eq!(found(&["B#*", "A#*"], std::slice::from_ref(&both)), []);
        assert_eq!(found(&[], std::slice::from_ref(&both)), []);

        let unneeded = |allowed, key: &str| Finding::UnusedIn(in_partitions(&get, allowed), key.to_owned());
        assert_eq!(found(&["A#*", "B#*"], std::slice::from_ref(&ours)), [unneeded(&["A#*", "B#*"], "B#*")]);
        assert_eq!(found(&["A#*", "NONE"], std::slice::from_ref(&ours)), [unneeded(&["A#*", "NONE"], "NONE")]);

        let missing = |keys| Finding::Missing(in_partitions(&get, keys));
        assert_eq!(found(&["A#*"], &[ours.clone(), both]), [missing(&["A#*", "B#*"])]);
        assert_eq!(found(&["A#*"], &[ours, opening]), [missing(&["NONE"])]);
    }

    #[test]
    fn what_lambda_needs_is_to_be_allowed_on_exactly_that() {
        let log = grant("logs:PutLogEvents", LOG);
        let all_logs = grant("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:*");
        let opened = [used("get", "logs:PutLogEvents", LOG, 0, 1)].into();
        let found = compare(std::slice::from_ref(&all_logs), &[(log.clone(), ByLambda::Logs)], &opened).1;
        assert_eq!(found, [Finding::Unused(all_logs), Finding::MissingForLambda(log, ByLambda::Logs)]);
    }

    #[test]
    fn a_record_that_no_longer_knows_the_calls_of_init_is_found() {
        let get = grant("dynamodb:GetItem", TABLE);
        let record = [used("get", "dynamodb:GetItem", TABLE, 1, 0)].into();
        assert_eq!(compare(&[get], &[], &record).1, [Finding::NothingPrewarmed]);
    }

    #[test]
    fn patterns_are_iams() {
        for (pattern, resource, expected) in [
            ("arn:a", "arn:a", true),
            ("arn:a", "arn:ab", false),
            ("arn:a/*", "arn:a/", true),
            ("arn:a/*", "arn:a/b/c", true),
            ("arn:a/*", "arn:a", false),
            ("*/é/*.jpg", "a/b/é/c.jpg", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ] {
            assert_eq!(matches(pattern, resource), expected, "{pattern} {resource}");
        }
    }
}
