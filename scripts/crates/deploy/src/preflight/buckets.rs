//! Whether the names of the template's buckets are available. Bucket names are unique across all accounts.

use ferrite_aws_client::client::BucketName;
use serde_yaml_ng::Value;

use super::account::Account;
use super::deployment::Deployment;
use super::finding::Finding;
use super::stack_state::StackState;

/// Checks the buckets whose names the template sets.
pub(crate) fn check(deployment: &Deployment<'_>, account: &Account, state: &StackState) -> Vec<Finding> {
    let buckets = deployment.template.resources_of_type("AWS::S3::Bucket");
    let names = buckets.filter_map(|(_, properties)| name(&properties["BucketName"], deployment, account));
    names.map(|name| finding(&name, deployment, state)).collect()
}

fn finding(bucket: &str, deployment: &Deployment<'_>, state: &StackState) -> Finding {
    match deployment.aws.bucket_name(bucket) {
        Ok(BucketName::Free) => Finding::Good(format!("the bucket name {bucket} is free")),
        Ok(BucketName::Accessible) if matches!(state, StackState::New) => Finding::Error(format!(
            "the bucket {bucket} exists in this account, but its stack does not. An earlier stack with this name has left \
             it. If nobody needs its objects, empty and delete it in the S3 console; otherwise, set another stack_name in \
             samconfig.toml"
        )),
        Ok(BucketName::Accessible) => Finding::Good(format!("the bucket {bucket} belongs to this account")),
        Ok(BucketName::Inaccessible) => Finding::Error(format!(
            "the bucket name {bucket} is taken: it belongs to another account or another region, or these credentials may \
             not list it (s3:ListBucket). Set another stack_name in samconfig.toml, or add the permission"
        )),
        Err(error) => Finding::Warning(format!("cannot check the bucket name {bucket}: {error}")),
    }
}

/// Resolves the name as CloudFormation does. Returns `None` if CloudFormation chooses it, or if it depends on something else
/// than parameters.
fn name(value: &Value, deployment: &Deployment<'_>, account: &Account) -> Option<String> {
    let Value::Tagged(tagged) = value else { return value.as_str().map(str::to_owned) };
    if tagged.tag != "Sub" {
        return None;
    }
    let mut parts = tagged.value.as_str()?.split("${");
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (variable, literal) = part.split_once('}')?;
        name += match variable {
            "AWS::StackName" => deployment.stack,
            "AWS::AccountId" => &account.id,
            "AWS::Region" => deployment.region,
            parameter => deployment.parameters.get(parameter)?,
        };
        name += literal;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_local_stack::template::Template;

    use super::super::testing::{aws, deployment};
    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  Named:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${AWS::StackName}-${Kind}-${AWS::AccountId}-${AWS::Region}"}
  Derived: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${Named}-copies"}}
  Unnamed: {Type: AWS::S3::Bucket}
"#;

    fn findings(status: u16, state: &StackState) -> Vec<Finding> {
        let template = Template::parse(TEMPLATE).unwrap();
        let parameters = BTreeMap::from([("Kind".to_owned(), "files".to_owned())]);
        let aws = aws(&[("HEAD /app-staging-files-123456789012-eu-west-1 ", status, "")]);
        check(&deployment(&aws, &template, &parameters), &Account::with_id("123456789012"), state)
    }

    fn exists() -> StackState {
        StackState::Exists("CREATE_COMPLETE".to_owned())
    }

    #[test]
    fn free_names_and_own_buckets_of_the_stack_are_good() {
        for (status, state) in [(404, StackState::New), (404, exists()), (200, exists())] {
            let findings = findings(status, &state);
            assert!(matches!(findings[..], [Finding::Good(_)]), "{status} {findings:?}");
        }
    }

    #[test]
    fn bucket_that_an_earlier_stack_left_is_an_error() {
        let findings = findings(200, &StackState::New);
        assert!(matches!(&findings[..], [Finding::Error(text)] if text.contains("empty and delete it")), "{findings:?}");
    }

    #[test]
    fn name_of_another_account_is_an_error() {
        for state in [StackState::New, exists()] {
            let findings = findings(403, &state);
            assert!(matches!(&findings[..], [Finding::Error(text)] if text.contains("is taken")), "{findings:?}");
        }
    }

    #[test]
    fn failed_check_is_a_warning() {
        let findings = findings(503, &StackState::New);
        assert!(matches!(&findings[..], [Finding::Warning(text)] if text.contains("cannot check")), "{findings:?}");
    }
}
