//! Compares the roles with the record of used permissions.

use std::collections::BTreeMap;
use std::fmt;

use ferrite_aws_proxy::record::{UseCounts, UsedPermission};
use serde::{Deserialize, Serialize};

use crate::roles::{Grant, LambdaUse};

/// A grant and its uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The grant.
    #[serde(flatten)]
    pub grant: Grant,
    /// How often the function used it, not counting prewarm calls.
    #[serde(rename = "seen")]
    pub uses: u64,
    /// Why Lambda itself needs it, or `None` if it does not.
    pub by_lambda: Option<String>,
}

/// A difference between the roles and the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A grant that is not used.
    Unused(Grant),
    /// A grant with a partition key for which it is not used.
    UnusedIn(Grant, String),
    /// A permission that the function uses, but that the role does not allow.
    Missing(Grant),
    /// A permission that Lambda itself needs, but that the role does not allow.
    MissingForLambda(Grant, LambdaUse),
    /// No prewarm call was recorded, so the proxy probably no longer recognizes them.
    NoPrewarmCalls,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unused(grant) => write!(
                f,
                "the role of {function} allows {}, but no test uses it. Remove the permission from the role of {function} in \
                 template.yaml, or add an end-to-end test in which {function} uses it",
                grant.describe(),
                function = grant.function
            ),
            Self::UnusedIn(grant, key) => write!(
                f,
                "the role of {function} allows {}, but no test uses {key}. Remove {key} from `dynamodb:LeadingKeys` of this \
                 statement in template.yaml, or add an end-to-end test in which {function} uses it",
                grant.describe(),
                function = grant.function
            ),
            Self::Missing(grant) => write!(
                f,
                "{function} uses {}, which its role does not allow. Add a statement to the role of {function} in template.yaml \
                 or, if a statement allows the action in other partitions, add the partition to its `dynamodb:LeadingKeys`",
                grant.describe(),
                function = grant.function
            ),
            Self::MissingForLambda(grant, lambda_use) => write!(
                f,
                "the role of {function} does not allow {}: {}. Add a statement for exactly this resource to the role of \
                 {function} in template.yaml",
                grant.describe(),
                lambda_use.reason(),
                function = grant.function
            ),
            Self::NoPrewarmCalls => f.write_str(
                "no prewarm call was recorded; tests/aws-proxy/src/record.rs must identify them by the keys that shared/aws uses",
            ),
        }
    }
}

/// Compares the grants with the record, and returns a row for each grant and all findings. A grant that only prewarm
/// calls use counts as unused.
#[must_use]
pub fn compare(
    grants: &[Grant],
    lambda_uses: &[(Grant, LambdaUse)],
    record: &BTreeMap<UsedPermission, UseCounts>,
) -> (Vec<Row>, Vec<Finding>) {
    let reason = |grant: &Grant| {
        lambda_uses.iter().find(|(needed, _)| needed == grant).map(|(_, lambda_use)| lambda_use.reason().to_owned())
    };
    let uses = |grant: &Grant| record.iter().filter(|(used, _)| covers(grant, used)).map(|(_, counts)| counts.handled).sum();
    let row = |grant: &Grant| Row { grant: grant.clone(), uses: uses(grant), by_lambda: reason(grant) };
    let rows: Vec<Row> = grants.iter().map(row).collect();

    let unused = rows.iter().filter(|row| row.uses == 0 && row.by_lambda.is_none());
    let mut findings: Vec<_> = unused.map(|row| Finding::Unused(row.grant.clone())).collect();
    for row in rows.iter().filter(|row| row.uses > 0) {
        let used_keys = || record.keys().filter(|used| covers(&row.grant, used)).flat_map(|used| &used.keys);
        let unused = row.grant.keys.iter().filter(|pattern| !used_keys().any(|key| matches(pattern, key)));
        findings.extend(unused.map(|pattern| Finding::UnusedIn(row.grant.clone(), pattern.clone())));
    }
    let not_allowed = record.keys().filter(|used| !grants.iter().any(|grant| covers(grant, used)));
    findings.extend(not_allowed.map(|used| Finding::Missing(as_grant(used))));
    let missing = lambda_uses.iter().filter(|(needed, _)| !grants.contains(needed));
    findings.extend(missing.map(|(needed, lambda_use)| Finding::MissingForLambda(needed.clone(), *lambda_use)));
    if record.values().all(|counts| counts.prewarmed == 0) {
        findings.push(Finding::NoPrewarmCalls);
    }
    (rows, findings)
}

/// Whether a grant allows a used permission for all of its partition keys.
#[must_use]
pub fn covers(grant: &Grant, used: &UsedPermission) -> bool {
    let allowed = |key| grant.keys.iter().any(|pattern| matches(pattern, key));
    grant.function == used.function
        && grant.action == used.action
        && matches(&grant.resource, &used.resource)
        && (grant.keys.is_empty() || used.keys.iter().all(|key| allowed(key)))
}

fn as_grant(used: &UsedPermission) -> Grant {
    let keys = used.keys.iter().cloned().collect();
    Grant { keys, ..Grant::new(&used.function, &used.action, &used.resource) }
}

/// Whether a resource matches a pattern, in which `*` matches any text and `?` any single character ("IAM JSON policy
/// elements: Resource").
fn matches(pattern: &str, resource: &str) -> bool {
    let mut remaining = resource.chars();
    let mut pattern = pattern.chars();
    while let Some(expected) = pattern.next() {
        match expected {
            '*' => {
                let pattern = pattern.as_str();
                return (0..=remaining.as_str().len())
                    .filter_map(|skipped| remaining.as_str().get(skipped..))
                    .any(|remaining| matches(pattern, remaining));
            }
            '?' if remaining.next().is_some() => {}
            _ if remaining.next() == Some(expected) => {}
            _ => return false,
        }
    }
    remaining.as_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:1:table/app";
    const LOG: &str = "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/app-get:*";

    fn grant(action: &str, resource: &str) -> Grant {
        Grant::new("get", action, resource)
    }

    fn in_partitions(grant: &Grant, keys: &[&str]) -> Grant {
        Grant { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..grant.clone() }
    }

    fn used(function: &str, action: &str, resource: &str, handled: u64, prewarmed: u64) -> (UsedPermission, UseCounts) {
        let [function, action, resource] = [function, action, resource].map(str::to_owned);
        (UsedPermission { function, action, resource, keys: [].into() }, UseCounts { handled, prewarmed, denied: 0 })
    }

    /// The findings for these grants and this record. The log permission is always granted and used.
    fn findings(allowed: &[Grant], record: &[(UsedPermission, UseCounts)]) -> Vec<Finding> {
        let log = grant("logs:PutLogEvents", LOG);
        let grants: Vec<_> = allowed.iter().cloned().chain([log.clone()]).collect();
        let prewarmed = used("get", "logs:PutLogEvents", LOG, 0, 1);
        compare(&grants, &[(log, LambdaUse::Logs)], &record.iter().cloned().chain([prewarmed]).collect()).1
    }

    #[test]
    fn counts_uses_over_all_resources_of_a_pattern() {
        let images = grant("s3:GetObject", "arn:aws:s3:::app/images/*");
        let object = |key: &str| used("get", "s3:GetObject", &format!("arn:aws:s3:::app/images/{key}"), 2, 1);
        let (rows, found) = compare(std::slice::from_ref(&images), &[], &[object("a/b.jpg"), object("c")].into());
        assert_eq!(rows, [Row { grant: images, uses: 4, by_lambda: None }]);
        assert_eq!(found, []);
    }

    #[test]
    fn finds_unused_grants() {
        let get = grant("dynamodb:GetItem", TABLE);
        let unused = [Finding::Unused(get.clone())];
        assert_eq!(findings(std::slice::from_ref(&get), &[]), unused);
        let prewarm_only = used("get", "dynamodb:GetItem", TABLE, 0, 3);
        assert_eq!(findings(std::slice::from_ref(&get), &[prewarm_only]), unused);
        let prewarm_and_handler = used("get", "dynamodb:GetItem", TABLE, 1, 3);
        assert_eq!(findings(&[get], &[prewarm_and_handler]), []);
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
            for (handled, prewarmed) in [(1, 0), (0, 1), (0, 0)] {
                let other = used(function, action, resource, handled, prewarmed);
                let missing = [Finding::Missing(as_grant(&other.0))];
                assert_eq!(findings(std::slice::from_ref(&get), &[record.clone(), other]), missing, "{function} {action}");
            }
        }
    }

    #[test]
    fn compares_grants_and_uses_for_each_partition() {
        let get = grant("dynamodb:GetItem", TABLE);
        let used_in = |keys: &[&str], prewarmed| {
            let (used, counts) = used("get", "dynamodb:GetItem", TABLE, 1 - prewarmed, prewarmed);
            (UsedPermission { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..used }, counts)
        };
        let found =
            |allowed: &[&str], record: &[(UsedPermission, UseCounts)]| findings(&[in_partitions(&get, allowed)], record);
        let in_a = used_in(&["A#*"], 0);
        let in_both = used_in(&["A#*", "B#*"], 0);
        let prewarm = used_in(&["NONE"], 1);
        assert_eq!(found(&["A#*", "NONE"], &[in_a.clone(), prewarm.clone()]), []);
        assert_eq!(found(&["B#*", "A#*"], std::slice::from_ref(&in_both)), []);
        assert_eq!(found(&[], std::slice::from_ref(&in_both)), []);

        let unused = |allowed, key: &str| Finding::UnusedIn(in_partitions(&get, allowed), key.to_owned());
        assert_eq!(found(&["A#*", "B#*"], std::slice::from_ref(&in_a)), [unused(&["A#*", "B#*"], "B#*")]);
        assert_eq!(found(&["A#*", "NONE"], std::slice::from_ref(&in_a)), [unused(&["A#*", "NONE"], "NONE")]);

        let missing = |keys| Finding::Missing(in_partitions(&get, keys));
        assert_eq!(found(&["A#*"], &[in_a.clone(), in_both]), [missing(&["A#*", "B#*"])]);
        assert_eq!(found(&["A#*"], &[in_a, prewarm]), [missing(&["NONE"])]);
    }

    #[test]
    fn permissions_for_lambda_must_be_granted_on_the_exact_resource() {
        let log = grant("logs:PutLogEvents", LOG);
        let all_logs = grant("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:*");
        let record = [used("get", "logs:PutLogEvents", LOG, 0, 1)].into();
        let found = compare(std::slice::from_ref(&all_logs), &[(log.clone(), LambdaUse::Logs)], &record).1;
        assert_eq!(found, [Finding::Unused(all_logs), Finding::MissingForLambda(log, LambdaUse::Logs)]);
    }

    #[test]
    fn reports_a_record_without_prewarm_calls() {
        let get = grant("dynamodb:GetItem", TABLE);
        let record = [used("get", "dynamodb:GetItem", TABLE, 1, 0)].into();
        assert_eq!(compare(&[get], &[], &record).1, [Finding::NoPrewarmCalls]);
    }

    #[test]
    fn matches_patterns_like_iam() {
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
