//! What a test asks AWS, or the emulator in its place, beside the storefront's own API.
#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "what fails here fails the test")]

use std::env;
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use ureq::Body;

use crate::function_keys::FunctionKeys;
use crate::signer::Signer;

/// What the `AWS_*` variables name, which `./scripts/test` sets.
#[derive(Debug)]
pub struct Aws {
    endpoint: Option<String>,
    region: String,
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    agent: ureq::Agent,
}

/// An e-mail that SES took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl Aws {
    /// AWS under test.
    pub fn under_test() -> Self {
        let optional = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let variable =
            |name| optional(name).unwrap_or_else(|| panic!("{name} is not set: run these tests through ./scripts/test"));
        Self {
            endpoint: optional("AWS_ENDPOINT_URL"),
            region: variable("AWS_REGION"),
            access_key: variable("AWS_ACCESS_KEY_ID"),
            secret_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: optional("AWS_SESSION_TOKEN"),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build()
                .into(),
        }
    }

    /// Calls the operation `target` of a service with the protocol AWS JSON 1.1, as in `ssm` and `AmazonSSM.PutParameter`.
    pub fn call(&self, service: &str, target: &str, body: &Value) {
        let request = Request::post(format!("{}/", self.url(service)))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        self.send(service, request, body, StatusCode::OK);
    }

    /// Hands `event` to a function and does not wait for what becomes of it (AWS Lambda, Invoke: "Event").
    pub fn invoke(&self, function: &str, event: &Value) {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url("lambda"));
        let request = Request::post(url).header("x-amz-invocation-type", "Event");
        self.send("lambda", request, event, StatusCode::ACCEPTED);
    }

    /// The mails to `address`, in any order, as the emulator keeps them. AWS has no way to see what was sent.
    pub fn mails(&self, address: &str) -> Vec<Mail> {
        let endpoint = self.endpoint.as_deref().expect("an emulator keeps the mails");
        let get = |path| self.agent.get(format!("{endpoint}{path}")).call().expect("the emulator answers");
        let mut localstack = get("/_aws/ses");
        if localstack.status().is_success() {
            return localstack_mails(&read_json(&mut localstack), address);
        }
        ministack_mails(&read_json(&mut get("/_ministack/ses/messages")), address)
    }

    fn url(&self, service: &str) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("https://{service}.{}.amazonaws.com", self.region))
    }

    /// AWS Lambda, GetFunctionConfiguration.
    fn configuration_of(&self, function: &str) -> Value {
        let url = format!("{}/2015-03-31/functions/{function}/configuration", self.url("lambda"));
        let configuration = self.send_text("lambda", Request::get(url), String::new(), StatusCode::OK);
        serde_json::from_str(&configuration).expect("Lambda answers in JSON")
    }

    /// The name of the role that a function runs as.
    fn role_of(&self, function: &str) -> String {
        text(&self.configuration_of(function)["Role"]).rsplit('/').next().expect("a role has a name").to_owned()
    }

    /// The keys that MiniStack gives a function, as it is called where it is deployed. Its session token is in everything that
    /// it signs.
    pub fn keys_of(&self, function: &str) -> FunctionKeys {
        let configuration = self.configuration_of(function);
        FunctionKeys::derived(&text(&configuration["FunctionArn"]), &text(&configuration["Role"]))
    }

    /// Has the API refuse every request by one route.
    pub fn stop_route(self, api: &str, stage: &str, path: &str, method: &str) -> StoppedRoute {
        let stage = format!("{}/restapis/{api}/stages/{stage}", self.url("apigateway"));
        let setting = format!("/{}/{method}", path.replace('/', "~1"));
        let stopped = StoppedRoute { aws: self, stage, setting };
        let limit = |name| json!({"op": "replace", "path": format!("{}/throttling/{name}", stopped.setting), "value": "0"});
        stopped.change(&json!([limit("rateLimit"), limit("burstLimit")]));
        stopped
    }

    /// The alarms and dashboards of the account (CloudWatch, DescribeAlarms and ListDashboards), as they are told: in XML.
    pub fn watched(&self) -> (String, String) {
        let ask = |operation, parameters| self.query("monitoring", operation, &format!("Version=2010-08-01&{parameters}"));
        (ask("DescribeAlarms", "MaxRecords=100"), ask("ListDashboards", ""))
    }

    /// Calls an operation of IAM. The parameters are encoded already.
    fn iam(&self, operation: &str, parameters: &str) {
        self.query("iam", operation, &format!("Version=2010-05-08&{parameters}"));
    }

    /// Calls an operation of a service with the Query protocol.
    fn query(&self, service: &str, operation: &str, parameters: &str) -> String {
        let request =
            Request::post(format!("{}/", self.url(service))).header("content-type", "application/x-www-form-urlencoded");
        self.send_text(service, request, format!("Action={operation}&{parameters}"), StatusCode::OK)
    }

    fn send(&self, service: &str, request: http::request::Builder, body: &Value, expected: StatusCode) {
        self.send_text(service, request, body.to_string(), expected);
    }

    fn send_text(&self, service: &str, request: http::request::Builder, body: String, expected: StatusCode) -> String {
        let (head, ()) = request.body(()).expect("the request is well-formed").into_parts();
        let signer = Signer {
            access_key: &self.access_key,
            secret_key: &self.secret_key,
            token: self.session_token.as_deref(),
            region: &self.region,
            service,
        };
        let head = signer.sign(head, body.as_bytes(), SystemTime::now()).expect("the request can be signed");
        let url = head.uri.clone();
        let mut answer = self.agent.run(Request::from_parts(head, body)).expect("AWS answers");
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        assert_eq!(answer.status(), expected, "{url}: {said}");
        said
    }
}

/// A permission that a function does not have for as long as this lives.
#[derive(Debug)]
#[must_use = "it is over as soon as it is dropped"]
pub struct Outage {
    aws: Aws,
    policy: String,
}

impl Outage {
    /// Has `function`, as it is called where it is deployed, refused `action`.
    pub fn of(aws: Aws, function: &str, action: &str) -> Self {
        let outage = Self { policy: format!("RoleName={}&PolicyName=outage", aws.role_of(function)), aws };
        let statement = format!(r#"{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#);
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        let encoded: String = document.bytes().map(|byte| format!("%{byte:02X}")).collect();
        outage.aws.iam("PutRolePolicy", &format!("{}&PolicyDocument={encoded}", outage.policy));
        outage
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        self.aws.iam("DeleteRolePolicy", &self.policy);
    }
}

/// A route that API Gateway lets nobody use for as long as this lives.
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
        let request = Request::patch(&self.stage).header("content-type", "application/json");
        self.aws.send("apigateway", request, &json!({ "patchOperations": operations }), StatusCode::OK);
    }
}

impl Drop for StoppedRoute {
    fn drop(&mut self) {
        self.change(&json!([{ "op": "remove", "path": self.setting }]));
    }
}

fn read_json(answer: &mut Response<Body>) -> Value {
    let text = answer.body_mut().read_to_string().expect("the emulator answers whole");
    serde_json::from_str(&text).expect("the emulator answers in JSON")
}

fn ministack_mails(kept: &Value, address: &str) -> Vec<Mail> {
    let accounts = kept["messages"].as_object().expect("they are by account").values();
    let mails = accounts.flat_map(|mails| mails.as_array().expect("it is a list"));
    let to_address = mails.filter(|mail| mail["To"][0] == address);
    to_address.map(|mail| Mail { subject: text(&mail["Subject"]), text: text(&mail["BodyText"]) }).collect()
}

fn localstack_mails(kept: &Value, address: &str) -> Vec<Mail> {
    let mails = kept["messages"].as_array().expect("it is a list").iter();
    let to_address = mails.filter(|mail| mail["Destination"]["ToAddresses"][0] == address);
    to_address.map(|mail| Mail { subject: text(&mail["Subject"]), text: text(&mail["Body"]["text_part"]) }).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
