//! Calls to AWS, or to the emulator in its place, that tests make beside the storefront's own API.
#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "an error here fails the test")]

use ferrite_aws_client::client::{AwsClient, CLOUDWATCH, IAM};
use ferrite_aws_client::emulator::{Mail, sent_mails};
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_client::function_keys::FunctionKeys;
use http::Method;
use serde_json::{Value, json};

/// AWS as the `AWS_*` variables describe it, which `./scripts/test` sets.
#[derive(Debug)]
pub struct Aws(AwsClient);

impl Aws {
    /// The AWS under test.
    pub fn under_test() -> Self {
        let target = Target::from_environment().expect("AWS_ENDPOINT_URL is an address");
        Self(match target {
            Some(target) => AwsClient::new(target),
            None => AwsClient::from_environment().expect("run these tests through ./scripts/test"),
        })
    }

    /// Sends an event to a function without waiting for its response.
    pub fn invoke(&self, function: &str, event: &Value) {
        self.0.invoke(function, event, false).expect("Lambda accepts the event");
    }

    /// The e-mails to `address`, in any order, as the emulator keeps them. AWS has no way to read them.
    pub fn mails(&self, address: &str) -> Vec<Mail> {
        let mails = sent_mails(&self.0).expect("the emulator keeps the e-mails").into_iter();
        mails.filter(|mail| mail.to.first().is_some_and(|to| to == address)).collect()
    }

    /// AWS Lambda, GetFunctionConfiguration.
    fn configuration_of(&self, function: &str) -> Value {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        self.0.rest("lambda", Method::GET, &path, None).expect("the function exists")
    }

    /// The name of the role that a function runs as.
    fn role_of(&self, function: &str) -> String {
        text(&self.configuration_of(function)["Role"]).rsplit('/').next().expect("a role has a name").to_owned()
    }

    /// The keys that MiniStack gives a deployed function. Its session token is in everything that the function signs.
    pub fn keys_of(&self, function: &str) -> FunctionKeys {
        let configuration = self.configuration_of(function);
        FunctionKeys::derived(&text(&configuration["FunctionArn"]), &text(&configuration["Role"]))
    }

    /// Makes the API throttle every request to one route.
    pub fn stop_route(self, api: &str, stage: &str, path: &str, method: &str) -> StoppedRoute {
        let stage = format!("/restapis/{api}/stages/{stage}");
        let setting = format!("/{}/{method}", path.replace('/', "~1"));
        let stopped = StoppedRoute { aws: self, stage, setting };
        let limit = |name| json!({"op": "replace", "path": format!("{}/throttling/{name}", stopped.setting), "value": "0"});
        stopped.change(&json!([limit("rateLimit"), limit("burstLimit")]));
        stopped
    }

    /// The alarms and the dashboards of the account (CloudWatch, DescribeAlarms and ListDashboards), in XML.
    pub fn alarms_and_dashboards(&self) -> (String, String) {
        let query =
            |operation, parameters: &[_]| self.0.query(CLOUDWATCH, operation, parameters).expect("CloudWatch answers");
        (query("DescribeAlarms", &[("MaxRecords", "100")]), query("ListDashboards", &[]))
    }

    fn iam(&self, operation: &str, parameters: &[(&str, &str)]) {
        self.0.query(IAM, operation, parameters).expect("IAM answers");
    }
}

/// A permission that a function lacks for as long as this lives.
#[derive(Debug)]
#[must_use = "it is over as soon as it is dropped"]
pub struct Outage {
    aws: Aws,
    role: String,
}

impl Outage {
    const POLICY: (&str, &str) = ("PolicyName", "outage");

    /// Denies `action` to a deployed function.
    pub fn of(aws: Aws, function: &str, action: &str) -> Self {
        let outage = Self { role: aws.role_of(function), aws };
        let statement = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let parameters = [("RoleName", outage.role.as_str()), Self::POLICY, ("PolicyDocument", &document)];
        outage.aws.iam("PutRolePolicy", &parameters);
        outage
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        self.aws.iam("DeleteRolePolicy", &[("RoleName", &self.role), Self::POLICY]);
    }
}

/// A route that API Gateway throttles completely for as long as this lives.
#[derive(Debug)]
#[must_use = "it is over as soon as it is dropped"]
pub struct StoppedRoute {
    aws: Aws,
    stage: String,
    setting: String,
}

impl StoppedRoute {
    /// Amazon API Gateway, UpdateStage.
    fn change(&self, operations: &Value) {
        let body = json!({ "patchOperations": operations });
        self.aws.0.rest("apigateway", Method::PATCH, &self.stage, Some(&body)).expect("API Gateway changes the stage");
    }
}

impl Drop for StoppedRoute {
    fn drop(&mut self) {
        self.change(&json!([{ "op": "remove", "path": self.setting }]));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
