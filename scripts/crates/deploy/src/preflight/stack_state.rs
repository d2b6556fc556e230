//! Whether the stack is in a state that allows a deployment.

use ferrite_aws_client::client::AwsClient;
use ferrite_local_stack::change_set::{ChangeSetError, stack_status};

use super::deployment::Deployment;
use super::finding::Finding;

/// The state of the stack.
#[derive(Debug)]
pub(crate) enum StackState {
    /// There is no stack with this name, or only a change set that was never applied.
    New,
    /// The stack has this status.
    Exists(String),
    /// CloudFormation did not tell the state.
    Unknown(ChangeSetError),
}

impl StackState {
    /// Asks CloudFormation for the status of the stack.
    pub(crate) fn read(aws: &AwsClient, stack: &str) -> Self {
        match stack_status(aws, stack) {
            Ok(None) => Self::New,
            // A stack whose first change set has not been applied has no resources.
            Ok(Some(status)) if status == "REVIEW_IN_PROGRESS" => Self::New,
            Ok(Some(status)) => Self::Exists(status),
            Err(error) => Self::Unknown(error),
        }
    }
}

/// Returns whether the stack can be created or updated.
pub(crate) fn finding(state: &StackState, deployment: &Deployment<'_>) -> Finding {
    let Deployment { stack, region, .. } = deployment;
    let status = match state {
        StackState::New => return Finding::Good(format!("the stack {stack} does not exist and will be created")),
        StackState::Unknown(error) => {
            return Finding::Error(format!("cannot read the state of the stack {stack}, so it cannot be updated: {error}"));
        }
        StackState::Exists(status) => status.as_str(),
    };
    let at = format!("--stack-name {stack} --region {region}");
    let fix = match status {
        "ROLLBACK_COMPLETE" => {
            format!(
                "its first deployment failed, so it cannot be updated. Read the reason in its events, then delete it: \
                 .tools/sam/bin/sam delete {at}"
            )
        }
        "CREATE_FAILED" | "ROLLBACK_FAILED" | "DELETE_FAILED" => {
            format!(
                "some of its resources could not be created or deleted. Read the reason in its events and remove the cause, \
                 then delete it: .tools/sam/bin/sam delete {at}"
            )
        }
        "UPDATE_ROLLBACK_FAILED" => {
            format!(
                "a rollback has failed. Read the reason in its events and remove the cause, then run: \
                 aws cloudformation continue-update-rollback {at}"
            )
        }
        "UPDATE_FAILED" => {
            format!("an update has failed without a rollback. Roll it back: aws cloudformation rollback-stack {at}")
        }
        // The new version is in use; only replaced resources are being deleted, which does not block a deployment for long.
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
            return Finding::Warning(format!("the stack {stack} deletes old resources; the update may have to wait"));
        }
        status if status.ends_with("_IN_PROGRESS") => {
            format!(
                "another deployment runs. Wait until it has ended, which this command shows: \
                 aws cloudformation describe-stacks {at} --query 'Stacks[0].StackStatus'"
            )
        }
        status if status.ends_with("_COMPLETE") => {
            return Finding::Good(format!("the stack {stack} exists ({status}) and will be updated"));
        }
        _ => format!(
            "it cannot be updated in this state. Read the reason in its events: \
             aws cloudformation describe-stack-events {at}"
        ),
    };
    Finding::Error(format!("the stack {stack} is in the state {status}: {fix}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_local_stack::template::Template;

    use super::super::testing::{aws, deployment};
    use super::*;

    fn finding_for(code: u16, body: &'static str) -> Finding {
        let (template, parameters) = (Template::parse("{}").unwrap(), BTreeMap::new());
        let aws = aws(&[("Action=DescribeStacks", code, body)]);
        let deployment = deployment(&aws, &template, &parameters);
        finding(&StackState::read(&aws, deployment.stack), &deployment)
    }

    #[track_caller]
    fn assert_error(body: &'static str, fix: &str) {
        let Finding::Error(text) = finding_for(200, body) else { panic!("no error for {body}") };
        assert!(text.contains(fix) && text.contains("--stack-name app-staging --region eu-west-1"), "{text}");
    }

    #[test]
    fn states_that_block_a_deployment_are_errors_with_the_fix() {
        assert_error("<StackStatus>ROLLBACK_COMPLETE</StackStatus>", ".tools/sam/bin/sam delete");
        assert_error("<StackStatus>ROLLBACK_FAILED</StackStatus>", ".tools/sam/bin/sam delete");
        assert_error("<StackStatus>DELETE_FAILED</StackStatus>", ".tools/sam/bin/sam delete");
        assert_error("<StackStatus>UPDATE_ROLLBACK_FAILED</StackStatus>", "continue-update-rollback");
        assert_error("<StackStatus>UPDATE_FAILED</StackStatus>", "rollback-stack");
        assert_error("<StackStatus>UPDATE_IN_PROGRESS</StackStatus>", "describe-stacks");
        assert_error("<StackStatus>NEW_STATE</StackStatus>", "describe-stack-events");
    }

    #[test]
    fn a_stack_is_created_or_updated_otherwise() {
        let absent = "<Error><Message>Stack with id app-staging does not exist</Message></Error>";
        let will = |finding: Finding, expected: &str| {
            assert!(matches!(&finding, Finding::Good(text) if text.contains(expected)), "{finding:?}");
        };
        will(finding_for(400, absent), "will be created");
        will(finding_for(200, "<StackStatus>REVIEW_IN_PROGRESS</StackStatus>"), "will be created");
        will(finding_for(200, "<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>"), "will be updated");
        let cleanup = finding_for(200, "<StackStatus>UPDATE_COMPLETE_CLEANUP_IN_PROGRESS</StackStatus>");
        assert!(matches!(cleanup, Finding::Warning(_)), "{cleanup:?}");
    }

    #[test]
    fn credentials_that_may_not_read_the_stack_are_an_error() {
        let denied = finding_for(403, "<Error><Code>AccessDenied</Code></Error>");
        assert!(matches!(&denied, Finding::Error(text) if text.contains("AccessDenied")), "{denied:?}");
    }
}
