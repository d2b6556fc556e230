//! checkov on the templates. A comment in the resource can suppress a finding with a reason:
//! `# checkov:skip=CKV_AWS_117:it only calls AWS`. A suppression that is no longer needed fails the check.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::at;
use ferrite_local_stack::process::capture;
use ferrite_local_stack::tools::Tools;
use serde::Deserialize;

use crate::gates::findings::Findings;

/// Without infra/operations.yaml, because checkov does not support loops and has no checks for alarms and dashboards.
const TEMPLATES: [&str; 4] = ["template.yaml", "infra/firewall.yaml", "infra/account.yaml", "infra/delivery.yaml"];
const SKIP: &str = "# checkov:skip=";

/// Runs checkov, without network access.
///
/// # Errors
/// Returns an error that lists the findings, or an error if checkov cannot run.
pub(crate) fn check(checkout: &Checkout, tools: &Tools, run: &str) -> anyhow::Result<()> {
    let mut checkov = tools.command("checkov");
    checkov.args(["--framework", "cloudformation", "--skip-download", "--soft-fail", "--compact", "-o", "json"]);
    checkov.current_dir(checkout.root());
    let mut templates = Vec::new();
    for template in TEMPLATES {
        let path = checkout.path(template);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let bare = checkout.run_folder(run)?.join(file_name(template));
        fs::write(&bare, without_suppressions(&text)).map_err(at(&bare))?;
        checkov.arg("-f").arg(&bare);
        templates.push((template, text));
    }
    let report: Report = serde_json::from_str(&capture(&mut checkov)?).context("unexpected output of checkov")?;
    let findings = templates.iter().flat_map(|(template, text)| findings(template, text, &report.results));
    Ok(Findings::require_none(findings.collect())?)
}

#[derive(Deserialize)]
struct Report {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    passed_checks: Vec<Checked>,
    failed_checks: Vec<Checked>,
}

/// One check of one resource.
#[derive(Deserialize)]
struct Checked {
    check_id: String,
    check_name: String,
    file_path: String,
    file_line_range: (usize, usize),
    /// The type, a dot, and the logical id.
    resource: String,
}

impl Checked {
    fn logical_id(&self) -> &str {
        self.resource.rsplit('.').next().unwrap_or(&self.resource)
    }
}

/// A comment that suppresses a check of a resource.
struct Suppression<'a> {
    line: usize,
    resource: &'a str,
    check: &'a str,
    reason: &'a str,
}

fn suppressions(template: &str) -> impl Iterator<Item = Suppression<'_>> {
    let mut resource = "";
    template.lines().enumerate().filter_map(move |(index, line)| {
        if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'))
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        {
            resource = name;
        }
        let (check, reason) = line.trim_start().strip_prefix(SKIP)?.split_once(':')?;
        Some(Suppression { line: index + 1, resource, check, reason: reason.trim() })
    })
}

/// The template without suppressions and conditions, because checkov skips resources whose condition does not hold by
/// default. Line numbers stay the same.
fn without_suppressions(template: &str) -> String {
    let kept = |line: &str| !line.trim_start().starts_with(SKIP) && !line.starts_with("    Condition: ");
    template.lines().map(|line| if kept(line) { format!("{line}\n") } else { "\n".to_owned() }).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn findings(template: &str, text: &str, results: &Results) -> Vec<String> {
    let name = file_name(template);
    if !results.passed_checks.iter().any(|passed| file_name(&passed.file_path) == name) {
        return vec![format!("checkov cannot read {template}")];
    }
    let failed: Vec<_> = results.failed_checks.iter().filter(|failed| file_name(&failed.file_path) == name).collect();
    let suppressed: Vec<_> = suppressions(text).collect();
    let needed: BTreeSet<_> = failed.iter().map(|failed| (failed.logical_id(), &*failed.check_id)).collect();
    let covered: BTreeSet<_> = suppressed.iter().map(|suppression| (suppression.resource, suppression.check)).collect();
    let failed = failed.into_iter().filter(|failed| !covered.contains(&(failed.logical_id(), &*failed.check_id)));
    let failed = failed.map(|failed| {
        let Checked { check_id, check_name, file_line_range: (line, _), .. } = failed;
        format!(
            "{template}:{line}: {}: {check_id}: {check_name}. Change the resource, or add `{SKIP}{check_id}:REASON` above its \
             properties",
            failed.logical_id()
        )
    });
    let suppressed = suppressed.iter().filter_map(|Suppression { line, resource, check, reason }| {
        let wrong = match (reason.is_empty(), needed.contains(&(*resource, *check))) {
            (true, _) => "is suppressed without a reason; add one after the colon",
            (_, false) => "is suppressed but would pass; remove the comment",
            _ => return None,
        };
        Some(format!("{template}:{line}: {resource}: {check} {wrong}"))
    });
    failed.chain(suppressed).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    const ONE_SUPPRESSION: &str = "
Resources:
  Queue:
    Type: AWS::SQS::Queue
    # checkov:skip=CKV_AWS_27:SQS encrypts it
    Properties: {}
";

    fn results(failed: &[(&str, &str)]) -> Results {
        let checked = |&(file, check): &(&str, &str)| {
            json!({"check_id": check, "check_name": "Ensure it", "file_path": format!("/{file}"),
                "file_line_range": [3, 6], "resource": "AWS::SQS::Queue.Queue"})
        };
        let passed = checked(&("template.yaml", "CKV_AWS_0"));
        let failed: Vec<_> = failed.iter().map(checked).collect();
        serde_json::from_value(json!({"passed_checks": [passed], "failed_checks": failed})).unwrap()
    }

    fn found(text: &str, failed: &[(&str, &str)]) -> Vec<String> {
        findings("template.yaml", text, &results(failed))
    }

    const NEEDED: (&str, &str) = ("template.yaml", "CKV_AWS_27");

    #[test]
    fn accepts_a_finding_that_is_suppressed_with_a_reason() {
        assert!(found(ONE_SUPPRESSION, &[NEEDED]).is_empty());
    }

    #[test]
    fn reports_a_finding_with_its_line() {
        let found = found(ONE_SUPPRESSION, &[NEEDED, ("template.yaml", "CKV_AWS_1")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("template.yaml:3: Queue: CKV_AWS_1: Ensure it. "), "{}", found[0]);
    }

    #[test]
    fn rejects_a_suppression_without_a_finding_or_a_reason() {
        assert_eq!(
            found(ONE_SUPPRESSION, &[]),
            ["template.yaml:5: Queue: CKV_AWS_27 is suppressed but would pass; remove the comment"]
        );
        let found = found(&ONE_SUPPRESSION.replace("SQS encrypts it", " "), &[NEEDED]);
        assert_eq!(found, ["template.yaml:5: Queue: CKV_AWS_27 is suppressed without a reason; add one after the colon"]);
    }

    #[test]
    fn checks_conditional_resources() {
        let conditional = ONE_SUPPRESSION.replace("    Properties", "    Condition: IsProduction\n    Properties");
        let bare = ONE_SUPPRESSION
            .replace("    # checkov:skip=CKV_AWS_27:SQS encrypts it\n", "\n")
            .replace("    Prop", "\n    Prop");
        assert_eq!(without_suppressions(&conditional), bare);
    }

    #[test]
    fn fails_for_a_template_that_checkov_cannot_read() {
        let found = findings("infra/other.yaml", ONE_SUPPRESSION, &results(&[]));
        assert_eq!(found, ["checkov cannot read infra/other.yaml"]);
    }

    /// checkov has no checks for these types.
    #[test]
    fn operations_template_contains_only_alarms_and_a_dashboard() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../infra/operations.yaml");
        let template = fs::read_to_string(path).unwrap();
        let types: BTreeSet<_> = template.lines().filter_map(|line| line.trim_start().strip_prefix("Type: AWS::")).collect();
        assert_eq!(types, BTreeSet::from(["CloudWatch::Alarm", "CloudWatch::Dashboard"]));
    }
}
