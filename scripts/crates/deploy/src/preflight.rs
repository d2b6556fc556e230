//! Checks the AWS account before the build, which takes minutes.

mod account;
mod buckets;
mod deployment;
mod finding;
mod rust_target;
mod services;
mod stack_state;
#[cfg(test)]
mod testing;

use anyhow::bail;
use ferrite_local_stack::console::report;
use ferrite_local_stack::process::check_interrupted;

use self::account::Account;
pub(crate) use self::deployment::Deployment;
use self::finding::Finding;
use self::stack_state::StackState;

/// Prints one line for each check.
///
/// # Errors
/// Returns an error if the deployment would fail.
pub(crate) fn check(deployment: &Deployment<'_>) -> anyhow::Result<()> {
    // Without valid credentials, all other calls would fail for the same reason.
    let account = Account::read(deployment.aws)?;
    print(&Finding::Good(format!("{account}, region {}", deployment.region)));
    let mut findings = Vec::new();
    let mut add = |finding: Finding| {
        print(&finding);
        findings.push(finding);
        check_interrupted()
    };
    let state = StackState::read(deployment.aws, deployment.stack);
    add(stack_state::finding(&state, deployment))?;
    for finding in buckets::check(deployment, &account, &state) {
        add(finding)?;
    }
    if deployment.is_emulator {
        add(Finding::Skipped("the quotas of SES and Lambda, and API Gateway's role: an emulator has none".to_owned()))?;
    } else {
        for finding in services::check(deployment) {
            add(finding)?;
        }
    }
    add(rust_target::check(deployment.architecture))?;
    let errors = findings.iter().filter(|finding| matches!(finding, Finding::Error(_))).count();
    if errors > 0 {
        bail!("{errors} of the checks failed; nothing was built or deployed");
    }
    Ok(())
}

fn print(finding: &Finding) {
    let (kind, text) = match finding {
        Finding::Good(text) => ("ok", text),
        Finding::Warning(text) => ("warning", text),
        Finding::Error(text) => ("error", text),
        Finding::Skipped(text) => ("skipped", text),
    };
    report(&format!("  {kind}: {text}"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_local_stack::stack::host_architecture;
    use ferrite_local_stack::template::Template;

    use super::testing::{aws, deployment};
    use super::*;

    const IDENTITY: (&str, u16, &str) = ("GetCallerIdentity", 200, "<Result><Account>1</Account><Arn>arn</Arn></Result>");

    fn run(stack: (&'static str, u16, &'static str)) -> anyhow::Result<()> {
        let (template, parameters) = (Template::parse("{}").unwrap(), BTreeMap::new());
        let aws = aws(&[IDENTITY, stack]);
        // On an emulator, only the calls that emulators support are made.
        let deployment = deployment(&aws, &template, &parameters);
        check(&Deployment { is_emulator: true, architecture: host_architecture(), ..deployment })
    }

    #[test]
    fn error_stops_the_deployment() {
        let error = run(("DescribeStacks", 200, "<StackStatus>ROLLBACK_COMPLETE</StackStatus>")).unwrap_err();
        assert!(error.to_string().contains("of the checks failed; nothing was built"), "{error}");
    }

    #[test]
    fn deployment_continues_if_no_check_fails() {
        if cfg!(target_os = "linux") {
            run(("DescribeStacks", 200, "<StackStatus>UPDATE_COMPLETE</StackStatus>")).unwrap();
        }
    }
}
