//! Calls that tests make directly to AWS, or to the emulator, in addition to the API of the stack.

pub use ferrite_aws_client::client::InvokeResponse;
use ferrite_aws_client::client::{AwsClient, CLOUDWATCH, DYNAMODB, EVENTBRIDGE, IAM};
use ferrite_aws_client::emulator::{Email, sent_emails};
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_client::function_keys::FunctionKeys;
use http::Method;
use serde_json::{Value, json};

/// A client of AWS, configured by the `AWS_*` variables that `./scripts/test` sets.
#[derive(Debug)]
pub struct Aws(AwsClient);

impl Aws {
    /// The AWS endpoint under test.
    pub fn under_test() -> Self {
        let target = Target::from_environment().expect("AWS_ENDPOINT_URL is an address");
        Self(match target {
            Some(target) => AwsClient::new(target),
            None => AwsClient::from_environment().expect("run these tests through ./scripts/test"),
        })
    }

    /// Invokes a function asynchronously, as a schedule or an upload does. `function` is its deployed name.
    pub fn invoke(&self, function: &str, event: &Value) {
        self.0.invoke(function, event, false).expect("Lambda accepts the event");
    }

    /// Invokes a function and waits for its response. `function` is its deployed name.
    pub fn invoke_and_wait(&self, function: &str, event: &Value) -> InvokeResponse {
        self.0.invoke(function, event, true).expect("Lambda invokes the function")
    }

    /// Writes an item, given in DynamoDB's JSON format, to a table.
    pub fn put_item(&self, table: &str, item: &Value) {
        self.0.json(DYNAMODB, "PutItem", &json!({"TableName": table, "Item": item})).expect("DynamoDB writes the item");
    }

    /// Puts an event on a bus. `event` has the form in which an EventBridge rule sends it to its targets.
    pub fn put_event(&self, bus: &str, event: &Value) {
        let entry = json!({
            "EventBusName": bus, "Source": event["source"], "DetailType": event["detail-type"],
            "Detail": event["detail"].to_string(),
        });
        let response = self.0.json(EVENTBRIDGE, "PutEvents", &json!({ "Entries": [entry] })).expect("EventBridge responds");
        assert_eq!(response["FailedEntryCount"], 0, "{response}");
    }

    /// The e-mails sent to `address`, in any order. The emulator keeps them; AWS has no API to read them.
    pub fn emails_to(&self, address: &str) -> Vec<Email> {
        let emails = sent_emails(&self.0).expect("the emulator keeps the e-mails").into_iter();
        emails.filter(|email| email.to.first().is_some_and(|to| to == address)).collect()
    }

    /// AWS Lambda, GetFunctionConfiguration.
    fn function_configuration(&self, function: &str) -> Value {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        self.0.rest_json("lambda", Method::GET, &path, None).expect("the function exists")
    }

    /// The name of a function's execution role.
    fn role_name(&self, function: &str) -> String {
        let configuration = self.function_configuration(function);
        text(&configuration["Role"]).rsplit('/').next().expect("a role has a name").to_owned()
    }

    /// The access keys that MiniStack derives for a deployed function. They do not include the session token, which is
    /// in every URL that the function signs.
    pub fn function_keys(&self, function: &str) -> FunctionKeys {
        let configuration = self.function_configuration(function);
        FunctionKeys::derived(&text(&configuration["FunctionArn"]), &text(&configuration["Role"]))
    }

    /// Sets the rate limit of one route to zero, so that API Gateway throttles every request to it.
    pub fn throttle_route(self, api: &str, stage: &str, path: &str, method: &str) -> ThrottledRoute {
        let stage = format!("/restapis/{api}/stages/{stage}");
        let setting = format!("/{}/{method}", path.replace('/', "~1"));
        let route = ThrottledRoute { aws: self, stage, setting };
        let limit = |name| json!({"op": "replace", "path": format!("{}/throttling/{name}", route.setting), "value": "0"});
        route.update_stage(&json!([limit("rateLimit"), limit("burstLimit")]));
        route
    }

    /// The account's alarms and dashboards as XML (CloudWatch, DescribeAlarms and ListDashboards).
    pub fn alarms_and_dashboards(&self) -> (String, String) {
        let query = |operation: &str, parameters: &[(&str, &str)]| {
            self.0.query(CLOUDWATCH, operation, parameters).expect("CloudWatch responds")
        };
        let alarms = all_pages(|token| {
            let token = token.map(|token| ("NextToken", token));
            let parameters: Vec<_> = [("MaxRecords", "100")].into_iter().chain(token).collect();
            query("DescribeAlarms", &parameters)
        });
        (alarms, query("ListDashboards", &[]))
    }

    fn iam(&self, operation: &str, parameters: &[(&str, &str)]) {
        self.0.query(IAM, operation, parameters).expect("IAM responds");
    }
}

/// Simulates an outage of an AWS service: denies one action to a function until it is dropped.
#[derive(Debug)]
#[must_use = "the outage ends when this is dropped"]
pub struct Outage {
    aws: Aws,
    role: String,
}

impl Outage {
    const POLICY: (&str, &str) = ("PolicyName", "outage");

    /// Adds a policy to the role of a deployed function that denies `action`.
    pub fn start(aws: Aws, function: &str, action: &str) -> Self {
        let outage = Self { role: aws.role_name(function), aws };
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

/// A route that API Gateway throttles completely until this is dropped.
#[derive(Debug)]
#[must_use = "the throttling ends when this is dropped"]
pub struct ThrottledRoute {
    aws: Aws,
    stage: String,
    setting: String,
}

impl ThrottledRoute {
    /// Amazon API Gateway, UpdateStage.
    fn update_stage(&self, operations: &Value) {
        let body = json!({ "patchOperations": operations });
        self.aws.0.rest_json("apigateway", Method::PATCH, &self.stage, Some(&body)).expect("API Gateway changes the stage");
    }
}

impl Drop for ThrottledRoute {
    fn drop(&mut self) {
        self.update_stage(&json!([{ "op": "remove", "path": self.setting }]));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The XML of all pages, one after the other. `page` requests a page, given the token that the page before it contains.
fn all_pages(page: impl Fn(Option<&str>) -> String) -> String {
    let mut pages = page(None);
    let mut last = pages.clone();
    while let Some(token) = next_token(&last) {
        last = page(Some(token));
        pages.push_str(&last);
    }
    pages
}

fn next_token(page: &str) -> Option<&str> {
    let (token, _) = page.split_once("<NextToken>")?.1.split_once("</NextToken>")?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_pages() {
        let pages = all_pages(|token| match token {
            None => "1<NextToken>a</NextToken>".to_owned(),
            Some("a") => "2<NextToken>b</NextToken>".to_owned(),
            Some(_) => "3<NextToken></NextToken>".to_owned(),
        });
        assert_eq!(pages, "1<NextToken>a</NextToken>2<NextToken>b</NextToken>3<NextToken></NextToken>");
    }
}
