//! The AWS calls that the scripts make themselves: signed, and with no more than they need of each API.
//!
//! An SDK crate for each service would take longer to compile than the rest of this crate.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferrite_tests::signer::Signer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::endpoint::{Account, Endpoint, Target, http_client};
use crate::trouble::Trouble;

/// AWS or an emulator of it, and as whom to call it.
#[derive(Debug, Clone)]
pub struct Aws {
    emulator: Option<Endpoint>,
    account: Account,
}

/// A service with a JSON protocol: where it is, and what its operations are called on the wire.
#[derive(Debug, Clone, Copy)]
pub struct JsonService {
    /// The first part of its host name on AWS.
    pub host: &'static str,
    /// What requests to it are signed for.
    pub signed_for: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    pub target: &'static str,
    /// The version of its protocol: `1.0` or `1.1`.
    pub version: &'static str,
}

/// What a function answered.
#[derive(Debug)]
pub struct Answer {
    /// Whether the function failed: the payload is then its error.
    pub failed: bool,
    /// What it answered; empty where nobody waited for it.
    pub payload: String,
}

impl Aws {
    /// An emulator.
    #[must_use]
    pub fn emulator(target: Target) -> Self {
        Self { emulator: Some(target.endpoint), account: target.account }
    }

    /// AWS itself, with the credentials and the region in the environment.
    ///
    /// # Errors
    /// One is missing.
    pub fn from_environment() -> Result<Self, Trouble> {
        Ok(Self { emulator: None, account: Account::on_aws()? })
    }

    /// Calls an operation of a service with a JSON protocol.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub fn json(&self, service: JsonService, operation: &str, body: &Value) -> Result<Value, Trouble> {
        let request = http::Request::post(format!("{}/", self.url(service.host)))
            .header("content-type", format!("application/x-amz-json-{}", service.version))
            .header("x-amz-target", format!("{}.{operation}", service.target));
        let answer = self.send(request, body.to_string(), service.signed_for, operation)?;
        parse(operation, &answer.payload)
    }

    /// Calls an operation of CloudFormation and returns the XML that it answers.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub fn cloudformation(&self, operation: &str, parameters: &[(&str, &str)]) -> Result<String, Trouble> {
        self.query("cloudformation", "2010-05-15", operation, parameters)
    }

    /// Calls an operation of an emulator's IAM and returns the XML that it answers. On AWS, one host has it for all regions.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub fn iam(&self, operation: &str, parameters: &[(&str, &str)]) -> Result<String, Trouble> {
        self.query("iam", "2010-05-08", operation, parameters)
    }

    fn query(&self, service: &str, version: &str, operation: &str, parameters: &[(&str, &str)]) -> Result<String, Trouble> {
        let request = http::Request::post(format!("{}/", self.url(service)))
            .header("content-type", "application/x-www-form-urlencoded");
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut form = format!("Action={operation}&Version={version}");
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", encode(value)));
        }
        Ok(self.send(request, form, service, operation)?.payload)
    }

    /// Asks Lambda for what is at `path`.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub fn ask_lambda(&self, path: &str) -> Result<Value, Trouble> {
        let request = http::Request::get(format!("{}{path}", self.url("lambda")));
        parse(path, &self.send(request, String::new(), "lambda", path)?.payload)
    }

    /// Sets a function's timeout, in seconds (AWS Lambda, UpdateFunctionConfiguration). Its running environments end with
    /// that, also where it is the one that it had.
    ///
    /// # Errors
    /// When Lambda does not answer or refuses.
    pub fn set_timeout(&self, function: &str, seconds: u64) -> Result<(), Trouble> {
        let url = format!("{}/2015-03-31/functions/{function}/configuration", self.url("lambda"));
        let request = http::Request::put(url).header("content-type", "application/json");
        let body = json!({ "Timeout": seconds });
        self.send(request, body.to_string(), "lambda", &format!("setting the timeout of {function}")).map(drop)
    }

    /// Hands an event to a function, and waits for its answer if asked to.
    ///
    /// # Errors
    /// When Lambda does not answer or refuses.
    pub fn invoke(&self, function: &str, event: &Value, wait: bool) -> Result<Answer, Trouble> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url("lambda"));
        let request = http::Request::post(url)
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", if wait { "RequestResponse" } else { "Event" });
        self.send(request, event.to_string(), "lambda", &format!("invoking {function}"))
    }

    fn url(&self, host: &str) -> String {
        match &self.emulator {
            Some(endpoint) => endpoint.url().to_owned(),
            None => format!("https://{host}.{}.amazonaws.com", self.account.region),
        }
    }

    fn send(&self, request: http::request::Builder, body: String, service: &str, what: &str) -> Result<Answer, Trouble> {
        let client = if self.emulator.is_some() { http_client() } else { https_client() };
        send(&client, request, body.into_bytes(), &self.account, service, what)
    }
}

/// For AWS: through the caller's proxy, and for as long as an invocation may take.
fn https_client() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(120))).http_status_as_error(false).build().into()
}

fn parse(operation: &str, answer: &str) -> Result<Value, Trouble> {
    // Operations without an answer, DeleteMessage among them, may answer with nothing at all.
    if answer.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(answer)
        .map_err(|error| Trouble::Unexpected { program: operation.to_owned(), reason: error.to_string() })
}

/// Sets an SSM parameter of type String (AWS Systems Manager, PutParameter).
///
/// # Errors
/// When the endpoint does not answer or refuses.
pub fn put_parameter(endpoint: &Endpoint, account: &Account, name: &str, value: &str) -> Result<(), Trouble> {
    let body = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
    let request = http::Request::post(format!("{}/", endpoint.url()))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonSSM.PutParameter");
    call(request, &body, account, "ssm", &format!("setting {name}"))
}

/// Puts new code, a zip archive, in place of a function's (AWS Lambda, UpdateFunctionCode).
///
/// # Errors
/// When the endpoint does not answer or refuses.
pub fn update_function_code(
    endpoint: &Endpoint,
    account: &Account,
    function_name: &str,
    archive: &[u8],
) -> Result<(), Trouble> {
    let body = json!({"ZipFile": STANDARD.encode(archive)});
    let url = format!("{}/2015-03-31/functions/{function_name}/code", endpoint.url());
    let request = http::Request::put(url).header("content-type", "application/json");
    call(request, &body, account, "lambda", &format!("new code for {function_name}"))
}

fn call(request: http::request::Builder, body: &Value, account: &Account, service: &str, what: &str) -> Result<(), Trouble> {
    send(&http_client(), request, body.to_string().into_bytes(), account, service, what).map(drop)
}

fn send(
    client: &ureq::Agent,
    request: http::request::Builder,
    body: Vec<u8>,
    account: &Account,
    service: &str,
    what: &str,
) -> Result<Answer, Trouble> {
    let (head, ()) = request.body(()).map_err(unsigned)?.into_parts();
    let signer = Signer {
        access_key: &account.access_key,
        secret_key: &account.secret_key,
        token: account.session_token.as_deref(),
        region: &account.region,
        service,
    };
    let head = signer.sign(head, &body, SystemTime::now()).map_err(unsigned)?;
    let url = head.uri.to_string();
    let request = http::Request::from_parts(head, body);
    let no_answer = |error: ureq::Error| Trouble::NoAnswer { url: url.clone(), reason: error.to_string() };
    let mut answer = client.run(request).map_err(no_answer)?;
    let (status, failed) = (answer.status(), answer.headers().contains_key("x-amz-function-error"));
    let payload = answer.body_mut().read_to_string().map_err(no_answer)?;
    if status.is_success() {
        return Ok(Answer { failed, payload });
    }
    Err(Trouble::Refused { what: what.to_owned(), status: status.as_u16(), body: payload })
}

fn unsigned(error: impl std::error::Error) -> Trouble {
    Trouble::Sign(error.to_string())
}
