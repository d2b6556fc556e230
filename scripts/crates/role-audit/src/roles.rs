//! The permissions of the deployed functions' roles, and those that Lambda itself uses.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, IAM};
use ferrite_aws_client::error::AwsError;
use ferrite_aws_proxy::functions::Functions;
use http::Method;

/// Why the roles could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// IAM answered something unexpected.
    #[error("IAM answered something unexpected: {0}")]
    Unexpected(String),
    /// A role has a managed policy, whose content somebody else decides.
    #[error("the role of {function} has the managed policy {policy}")]
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
    /// Its name without the stack's: that of its crate.
    pub name: String,
    /// Its deployed name.
    pub deployed_name: String,
    /// Its ARN.
    pub arn: String,
    /// The ARN of the role that it runs as.
    pub role_arn: String,
    /// The log group that it writes to.
    pub log_group: String,
    /// Its timeout in seconds.
    pub timeout: u64,
}

/// A permission of a function's role: an action on a resource, or on all that its pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The function.
    pub function: String,
    /// The IAM action, as in `dynamodb:PutItem`.
    pub action: String,
    /// The ARN, as the role has it.
    pub resource: String,
    /// The partitions of a table that it is limited to (`dynamodb:LeadingKeys`); empty for no limit.
    pub keys: Vec<String>,
}

impl Grant {
    /// An action on a resource, without a limit to partitions.
    #[must_use]
    pub fn of(function: &str, action: &str, resource: &str) -> Self {
        let [function, action, resource] = [function, action, resource].map(str::to_owned);
        Self { function, action, resource, keys: Vec::new() }
    }

    /// The action, the resource and the partitions.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { action, resource, keys, .. } = self;
        format!("{action} on {resource}{}", in_partitions(keys))
    }
}

/// The partitions, as they follow a resource in reports.
#[must_use]
pub fn in_partitions(keys: &[String]) -> String {
    if keys.is_empty() { String::new() } else { format!(" [{}]", keys.join(", ")) }
}

/// An inline policy of a role.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The function whose role it is.
    pub function: String,
    role: String,
    name: String,
    /// The deployed document.
    pub document: Value,
}

/// The functions of `stack` (AWS Lambda, ListFunctions).
///
/// # Errors
/// When Lambda does not answer.
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

/// The functions as the proxy identifies them.
#[must_use]
pub fn for_proxy(functions: &[Function]) -> Functions {
    let mut known = Functions::default();
    for function in functions {
        known.insert(&function.name, &function.arn, &function.role_arn);
    }
    known
}

fn get(aws: &AwsClient, path: &str) -> Result<Value, AwsError> {
    aws.rest("lambda", Method::GET, path, None)
}

/// The policies of the functions' roles (IAM, ListRolePolicies and GetRolePolicy).
///
/// # Errors
/// When IAM does not answer, or a role has a managed policy.
pub fn policies(aws: &AwsClient, functions: &[Function]) -> Result<Vec<Policy>, RolesError> {
    let mut policies = Vec::new();
    for function in functions {
        let role = function.role_arn.rsplit('/').next().unwrap_or_default();
        let of_role = [("RoleName", role)];
        if let Some(managed) = elements(&aws.query(IAM, "ListAttachedRolePolicies", &of_role)?, "PolicyArn")?.first() {
            return Err(RolesError::ManagedPolicy { function: function.name.clone(), policy: managed.clone() });
        }
        for name in elements(&aws.query(IAM, "ListRolePolicies", &of_role)?, "member")? {
            let answer = aws.query(IAM, "GetRolePolicy", &[("RoleName", role), ("PolicyName", &name)])?;
            let encoded = elements(&answer, "PolicyDocument")?.pop().unwrap_or_default();
            let document = serde_json::from_str(&percent_decode_str(&encoded).decode_utf8_lossy())
                .map_err(|error| unexpected(format!("{name}: {error}")))?;
            policies.push(Policy { function: function.name.clone(), role: role.to_owned(), name, document });
        }
    }
    Ok(policies)
}

impl Policy {
    /// Its permissions, one for each action on each resource.
    pub fn grants(&self) -> impl Iterator<Item = Grant> {
        pairs(&self.document).map(|(statement, action, resource)| self.grant(statement, action, resource))
    }

    fn grant(&self, statement: &Value, action: &str, resource: &str) -> Grant {
        let keys = one_or_more(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]).map(text);
        Grant { keys: keys.collect(), ..Grant::of(&self.function, action, resource) }
    }

    /// The document without `grant`.
    #[must_use]
    pub fn without(&self, grant: &Grant) -> Value {
        let kept =
            pairs(&self.document).filter(|(statement, action, resource)| self.grant(statement, action, resource) != *grant);
        let statements: Vec<_> = kept
            .map(|(statement, action, resource)| {
                let mut statement = statement.clone();
                (statement["Action"], statement["Resource"]) = (json!(action), json!(resource));
                statement
            })
            .collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// Replaces it by `document` (IAM, PutRolePolicy).
    ///
    /// # Errors
    /// When IAM does not answer or rejects the call.
    pub fn put(&self, aws: &AwsClient, document: &Value) -> Result<(), RolesError> {
        let document = document.to_string();
        let parameters = [("RoleName", self.role.as_str()), ("PolicyName", &self.name), ("PolicyDocument", &document)];
        aws.query(IAM, "PutRolePolicy", &parameters)?;
        Ok(())
    }
}

/// Every statement of a policy with each of its actions and resources.
fn pairs(document: &Value) -> impl Iterator<Item = (&Value, &str, &str)> {
    one_or_more(&document["Statement"]).filter(|statement| statement["Effect"] == "Allow").flat_map(|statement| {
        one_or_more(&statement["Action"]).filter_map(Value::as_str).flat_map(move |action| {
            let resources = one_or_more(&statement["Resource"]).filter_map(Value::as_str);
            resources.map(move |resource| (statement, action, resource))
        })
    })
}

/// What Lambda itself uses a function's role for. The proxy does not see these calls, and MiniStack does not check them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByLambda {
    /// "Working with Lambda execution environment credentials" and "Sending Lambda function logs to CloudWatch Logs".
    Logs,
    /// "Using Lambda with Amazon SQS": execution role permissions.
    Queue,
    /// "Process DynamoDB records with Lambda": permissions.
    Stream,
    /// "Capturing records of Lambda asynchronous invocations", and the same of stream mappings: on-failure destinations.
    Failures,
}

impl ByLambda {
    /// Why Lambda needs the permissions.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Logs => "Lambda writes the log",
            Self::Queue => "Lambda polls the queue of the event source mapping",
            Self::Stream => "Lambda reads the stream of the event source mapping",
            Self::Failures => "Lambda sends what failed to the on-failure destination",
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

    fn on(self, function: &str, resource: &str) -> impl Iterator<Item = (Grant, Self)> {
        self.actions().iter().map(move |action| (Grant::of(function, action, resource), self))
    }
}

/// The permissions that Lambda needs in the functions' roles (ListEventSourceMappings, GetFunctionEventInvokeConfig).
///
/// # Errors
/// When Lambda does not answer.
pub fn needed_by_lambda(aws: &AwsClient, functions: &[Function]) -> Result<Vec<(Grant, ByLambda)>, RolesError> {
    let mut needed = Vec::new();
    for function in functions {
        let Function { name, arn, log_group, deployed_name, .. } = function;
        let place = arn.split(':').skip(1).take(4).collect::<Vec<_>>().join(":").replacen(":lambda:", ":logs:", 1);
        // A log stream's name is Lambda's to choose.
        needed.extend(ByLambda::Logs.on(name, &format!("arn:{place}:log-group:{log_group}:*")));
        let mappings = get(aws, &format!("/2015-03-31/event-source-mappings/?FunctionName={deployed_name}"))?;
        for mapping in list(&mappings["EventSourceMappings"]) {
            let source = text(&mapping["EventSourceArn"]);
            let kind = if source.contains(":sqs:") { ByLambda::Queue } else { ByLambda::Stream };
            needed.extend(kind.on(name, &source));
            needed.extend(destination(mapping).into_iter().flat_map(|queue| ByLambda::Failures.on(name, queue)));
        }
        let path = format!("/2019-09-25/functions/{deployed_name}/event-invoke-config/list");
        for config in list(&get(aws, &path)?["FunctionEventInvokeConfigs"]) {
            needed.extend(destination(config).into_iter().flat_map(|queue| ByLambda::Failures.on(name, queue)));
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

/// The elements of a list. A policy may have a single value in place of a list.
fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array() && !value.is_null()).then_some(value);
    one.into_iter().chain(list(value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The texts of all elements with a name, in whatever namespace.
fn elements(xml: &str, name: &str) -> Result<Vec<String>, RolesError> {
    let answer = roxmltree::Document::parse(xml).map_err(|error| unexpected(error.to_string()))?;
    let named = answer.descendants().filter(|node| node.tag_name().name() == name);
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

    fn shown(grants: impl Iterator<Item = Grant>) -> Vec<String> {
        grants.map(|grant| format!("{}: {}", grant.function, grant.describe())).collect()
    }

    #[test]
    fn a_grant_is_an_action_on_a_resource() {
        let expected = [
            "f: dynamodb:GetItem on arn:t",
            "f: dynamodb:PutItem on arn:t",
            "f: ses:SendEmail on arn:a",
            "f: ses:SendEmail on arn:b",
            "f: dynamodb:PutItem on arn:t [A#*, NONE]",
        ];
        assert_eq!(shown(policy().grants()), expected);
    }

    #[test]
    fn removes_one_grant_and_keeps_the_others() {
        let policy = policy();
        let all: Vec<_> = policy.grants().collect();
        for taken in &all {
            let without = Policy { document: policy.without(taken), ..policy.clone() };
            assert_eq!(without.grants().collect::<Vec<_>>().len(), all.len() - 1);
            assert!(without.grants().all(|left| left != *taken && all.contains(&left)), "{taken:?}");
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
