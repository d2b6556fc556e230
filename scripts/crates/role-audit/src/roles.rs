//! The permissions of the deployed functions' roles, and those that Lambda itself uses.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, IAM};
use ferrite_aws_client::error::AwsError;
use ferrite_aws_proxy::functions::Functions;
use http::Method;

/// The roles cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A response of IAM cannot be parsed.
    #[error("unexpected response from IAM: {0}")]
    Unexpected(String),
    /// A role has a managed policy, whose owner can change its permissions at any time.
    #[error("the role of {function} has the managed policy {policy}; only inline policies are allowed")]
    ManagedPolicy {
        /// The function.
        function: String,
        /// The ARN of the policy.
        policy: String,
    },
}

/// A function of a stack.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name without the stack's prefix, which is also the name of the function's crate.
    pub name: String,
    /// The deployed name.
    pub deployed_name: String,
    /// The ARN.
    pub arn: String,
    /// The ARN of the execution role.
    pub role_arn: String,
    /// The log group.
    pub log_group: String,
    /// The timeout in seconds.
    pub timeout: u64,
}

/// A permission of a function's role: an action on a resource, or on all resources that match a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The function.
    pub function: String,
    /// The IAM action, as in `dynamodb:PutItem`.
    pub action: String,
    /// The ARN or ARN pattern in the role's policy.
    pub resource: String,
    /// The partition keys to which it is limited (`dynamodb:LeadingKeys`), or empty if there is no limit.
    pub keys: Vec<String>,
}

impl Grant {
    /// Creates a permission without a limit to partitions.
    #[must_use]
    pub fn new(function: &str, action: &str, resource: &str) -> Self {
        let [function, action, resource] = [function, action, resource].map(str::to_owned);
        Self { function, action, resource, keys: Vec::new() }
    }

    /// Describes the action, the resource and the partitions.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { action, resource, keys, .. } = self;
        format!("{action} on {resource}{}", in_partitions(keys))
    }
}

/// Formats the partition keys for reports, where they follow the resource.
#[must_use]
pub fn in_partitions(keys: &[String]) -> String {
    if keys.is_empty() { String::new() } else { format!(" [{}]", keys.join(", ")) }
}

/// An inline policy of a role.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The function that the role belongs to.
    pub function: String,
    role: String,
    name: String,
    /// The policy document, as deployed.
    pub document: Value,
}

/// Lists the functions of `stack` (AWS Lambda, ListFunctions).
///
/// # Errors
/// Returns an error if the call to Lambda fails.
pub fn functions(aws: &AwsClient, stack: &str) -> Result<Vec<Function>, RolesError> {
    let mut functions = Vec::new();
    let mut marker = String::new();
    loop {
        let page = get(aws, &format!("/2015-03-31/functions/?MaxItems=50{marker}"))?;
        functions.extend(list(&page["Functions"]).filter_map(|function| {
            let deployed_name = text(&function["FunctionName"]);
            let log_group = function["LoggingConfig"]["LogGroup"].as_str();
            Some(Function {
                name: deployed_name.strip_prefix(stack)?.strip_prefix('-')?.to_owned(),
                arn: text(&function["FunctionArn"]),
                role_arn: text(&function["Role"]),
                log_group: log_group.map_or_else(|| format!("/aws/lambda/{deployed_name}"), str::to_owned),
                timeout: function["Timeout"].as_u64().unwrap_or_default(),
                deployed_name,
            })
        }));
        match page["NextMarker"].as_str().filter(|next| !next.is_empty()) {
            Some(next) => marker = format!("&Marker={next}"),
            None => return Ok(functions),
        }
    }
}

/// The functions in the form that the proxy uses to identify the caller of a request.
#[must_use]
pub fn for_proxy(functions: &[Function]) -> Functions {
    let mut registered = Functions::default();
    for function in functions {
        registered.insert(&function.name, &function.arn, &function.role_arn);
    }
    registered
}

fn get(aws: &AwsClient, path: &str) -> Result<Value, AwsError> {
    aws.rest_json("lambda", Method::GET, path, None)
}

/// Reads the inline policies of the functions' roles (IAM, ListRolePolicies and GetRolePolicy).
///
/// # Errors
/// Returns an error if a call to IAM fails, or if a role has a managed policy.
pub fn policies(aws: &AwsClient, functions: &[Function]) -> Result<Vec<Policy>, RolesError> {
    let mut policies = Vec::new();
    for function in functions {
        let role = function.role_arn.rsplit('/').next().unwrap_or_default();
        let role_name = [("RoleName", role)];
        if let Some(managed) = elements(&aws.query(IAM, "ListAttachedRolePolicies", &role_name)?, "PolicyArn")?.first() {
            return Err(RolesError::ManagedPolicy { function: function.name.clone(), policy: managed.clone() });
        }
        for name in elements(&aws.query(IAM, "ListRolePolicies", &role_name)?, "member")? {
            let response = aws.query(IAM, "GetRolePolicy", &[("RoleName", role), ("PolicyName", &name)])?;
            let encoded = elements(&response, "PolicyDocument")?.pop().unwrap_or_default();
            let document = serde_json::from_str(&percent_decode_str(&encoded).decode_utf8_lossy())
                .map_err(|error| unexpected(format!("{name}: {error}")))?;
            policies.push(Policy { function: function.name.clone(), role: role.to_owned(), name, document });
        }
    }
    Ok(policies)
}

impl Policy {
    /// The permissions of the policy, one for each pair of an action and a resource.
    pub fn grants(&self) -> impl Iterator<Item = Grant> {
        allowed_pairs(&self.document).map(|(statement, action, resource)| self.grant(statement, action, resource))
    }

    fn grant(&self, statement: &Value, action: &str, resource: &str) -> Grant {
        let keys = one_or_more(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]).map(text);
        Grant { keys: keys.collect(), ..Grant::new(&self.function, action, resource) }
    }

    /// Returns the policy document without `grant`.
    #[must_use]
    pub fn without(&self, grant: &Grant) -> Value {
        let kept = allowed_pairs(&self.document)
            .filter(|(statement, action, resource)| self.grant(statement, action, resource) != *grant);
        let statements: Vec<_> = kept
            .map(|(statement, action, resource)| {
                let mut statement = statement.clone();
                statement["Action"] = json!(action);
                statement["Resource"] = json!(resource);
                statement
            })
            .collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// Replaces the deployed policy with `document` (IAM, PutRolePolicy).
    ///
    /// # Errors
    /// Returns an error if the call to IAM fails.
    pub fn put(&self, aws: &AwsClient, document: &Value) -> Result<(), RolesError> {
        let document = document.to_string();
        let parameters = [("RoleName", self.role.as_str()), ("PolicyName", &self.name), ("PolicyDocument", &document)];
        aws.query(IAM, "PutRolePolicy", &parameters)?;
        Ok(())
    }
}

/// Each combination of an action and a resource in the `Allow` statements of a policy, with its statement.
fn allowed_pairs(document: &Value) -> impl Iterator<Item = (&Value, &str, &str)> {
    one_or_more(&document["Statement"]).filter(|statement| statement["Effect"] == "Allow").flat_map(|statement| {
        one_or_more(&statement["Action"]).filter_map(Value::as_str).flat_map(move |action| {
            let resources = one_or_more(&statement["Resource"]).filter_map(Value::as_str);
            resources.map(move |resource| (statement, action, resource))
        })
    })
}

/// The purposes for which Lambda itself uses a function's role. These calls do not go through the proxy, and MiniStack
/// does not enforce their permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LambdaUse {
    /// To write logs ("Working with Lambda execution environment credentials", and the managed policy
    /// AWSLambdaBasicExecutionRole).
    Logs,
    /// To poll a queue ("Using Lambda with Amazon SQS", execution role permissions).
    Queue,
    /// To read a stream ("Process DynamoDB records with Lambda", permissions).
    Stream,
    /// To send to on-failure destinations ("Capturing records of Lambda asynchronous invocations"), also those of
    /// stream mappings.
    Failures,
}

impl LambdaUse {
    /// Explains why Lambda needs the permissions.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Logs => "Lambda writes the log",
            Self::Queue => "Lambda polls the queue of the event source mapping",
            Self::Stream => "Lambda reads the stream of the event source mapping",
            Self::Failures => "Lambda sends failed events to the on-failure destination",
        }
    }

    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Logs => &["logs:CreateLogStream", "logs:PutLogEvents"],
            Self::Queue => &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            Self::Stream => {
                &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
            }
            Self::Failures => &["sqs:SendMessage"],
        }
    }

    fn grants(self, function: &str, resource: &str) -> impl Iterator<Item = (Grant, Self)> {
        self.actions().iter().map(move |action| (Grant::new(function, action, resource), self))
    }
}

/// The permissions that Lambda itself needs in the functions' roles (ListEventSourceMappings and
/// ListFunctionEventInvokeConfigs).
///
/// # Errors
/// Returns an error if a call to Lambda fails.
pub fn needed_by_lambda(aws: &AwsClient, functions: &[Function]) -> Result<Vec<(Grant, LambdaUse)>, RolesError> {
    let mut needed = Vec::new();
    for function in functions {
        let Function { name, arn, log_group, deployed_name, .. } = function;
        let region = arn.split(':').skip(1).take(4).collect::<Vec<_>>().join(":").replacen(":lambda:", ":logs:", 1);
        // The pattern ends with `*`, because Lambda chooses the names of the log streams.
        needed.extend(LambdaUse::Logs.grants(name, &format!("arn:{region}:log-group:{log_group}:*")));
        let mappings = get(aws, &format!("/2015-03-31/event-source-mappings/?FunctionName={deployed_name}"))?;
        for mapping in list(&mappings["EventSourceMappings"]) {
            let source = text(&mapping["EventSourceArn"]);
            let kind = if source.contains(":sqs:") { LambdaUse::Queue } else { LambdaUse::Stream };
            needed.extend(kind.grants(name, &source));
            needed.extend(destination(mapping).into_iter().flat_map(|queue| LambdaUse::Failures.grants(name, queue)));
        }
        let path = format!("/2019-09-25/functions/{deployed_name}/event-invoke-config/list");
        for config in list(&get(aws, &path)?["FunctionEventInvokeConfigs"]) {
            needed.extend(destination(config).into_iter().flat_map(|queue| LambdaUse::Failures.grants(name, queue)));
        }
    }
    Ok(needed)
}

fn destination(config: &Value) -> Option<&str> {
    config["DestinationConfig"]["OnFailure"]["Destination"].as_str()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The elements of a list, or the value itself: policies may have a single value instead of a list.
fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    let single = (!value.is_array() && !value.is_null()).then_some(value);
    single.into_iter().chain(list(value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The texts of all XML elements with this name, in any namespace.
fn elements(xml: &str, name: &str) -> Result<Vec<String>, RolesError> {
    let document = roxmltree::Document::parse(xml).map_err(|error| unexpected(error.to_string()))?;
    let named = document.descendants().filter(|node| node.tag_name().name() == name);
    Ok(named.filter_map(|node| node.text().map(str::to_owned)).collect())
}

fn unexpected(reason: String) -> RolesError {
    RolesError::Unexpected(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": "arn:t"},
            {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": ["arn:a", "arn:b"]},
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:t",
             "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*", "NONE"]}}},
        ]});
        Policy { function: "f".to_owned(), role: "r".to_owned(), name: "p".to_owned(), document }
    }

    fn descriptions(grants: impl Iterator<Item = Grant>) -> Vec<String> {
        grants.map(|grant| format!("{}: {}", grant.function, grant.describe())).collect()
    }

    #[test]
    fn lists_a_grant_for_each_action_and_resource() {
        let expected = [
            "f: dynamodb:GetItem on arn:t",
            "f: dynamodb:PutItem on arn:t",
            "f: ses:SendEmail on arn:a",
            "f: ses:SendEmail on arn:b",
            "f: dynamodb:PutItem on arn:t [A#*, NONE]",
        ];
        assert_eq!(descriptions(policy().grants()), expected);
    }

    #[test]
    fn removes_one_grant_and_keeps_the_others() {
        let policy = policy();
        let all: Vec<_> = policy.grants().collect();
        for removed in &all {
            let without = Policy { document: policy.without(removed), ..policy.clone() };
            assert_eq!(without.grants().collect::<Vec<_>>().len(), all.len() - 1);
            assert!(without.grants().all(|kept| kept != *removed && all.contains(&kept)), "{removed:?}");
            assert_eq!(without.document["Statement"][0]["Effect"], "Allow");
        }
    }

    #[test]
    fn finds_elements_in_any_namespace() {
        let xml = r#"<R xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><PolicyNames><member>a</member><member>b</member>
            </PolicyNames></R>"#;
        assert_eq!(elements(xml, "member").unwrap(), ["a", "b"]);
        assert!(elements("no xml", "member").is_err());
    }
}
