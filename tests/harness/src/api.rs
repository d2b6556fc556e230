//! An HTTP client of the deployed API.

use std::time::Duration;

use ferrite_token_issuer::issuer::Issuer;
use serde_json::Value;

use crate::cleanup::{Activity, record_partition};
use crate::stack::Stack;

/// How long a token is valid.
const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
/// The longest time that a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest response body that a test may receive.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;

/// The API of the stack under test.
#[derive(Debug)]
pub struct Api {
    stack: Stack,
    issuer: Issuer,
    agent: ureq::Agent,
    created_partition: fn(Activity<'_>) -> Option<String>,
}

impl Api {
    /// The API of the stack that `./scripts/test` deployed.
    #[must_use]
    pub fn under_test() -> Self {
        Self::of_stack(Stack::under_test())
    }

    /// The API of a stack.
    #[must_use]
    pub fn of_stack(stack: Stack) -> Self {
        Self {
            issuer: Issuer::open(&stack.keys_folder).expect("the issuer has its keys"),
            stack,
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(REQUEST_TIMEOUT))
                .build()
                .into(),
            created_partition: |_| None,
        }
    }

    /// Records the partitions of the table that requests create, so that `./scripts/test --stack` deletes them from an
    /// existing stack. `created_partition` returns the partition that an activity creates, if any.
    #[must_use]
    pub fn with_cleanup(self, created_partition: fn(Activity<'_>) -> Option<String>) -> Self {
        Self { created_partition, ..self }
    }

    /// Returns an output of the stack.
    pub fn output(&self, name: &str) -> &str {
        self.stack.output(name)
    }

    /// The stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The deployed name of the function in the folder `functions/NAME`.
    pub fn function(&self, name: &str) -> String {
        format!("{}-{name}", self.stack.name)
    }

    /// Issues a token for `user` with `scopes`, signed by the issuer that the stack trusts.
    pub fn token(&self, user: &str, scopes: &[&str]) -> String {
        self.record(Activity::Token { user });
        self.issuer.mint(user, scopes, TOKEN_LIFETIME)
    }

    /// The URL of the API, without a slash at the end.
    pub fn base_url(&self) -> &str {
        self.stack.output("ApiUrl")
    }

    /// The token issuer that the stack trusts.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Starts a request to `path` without a token.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        self.request_url(method, &format!("{}{path}", self.base_url()))
    }

    /// Starts a request to a full URL.
    pub fn request_url(&self, method: &str, url: &str) -> RequestBuilder<'_> {
        RequestBuilder { api: self, request: http::Request::builder().method(method).uri(url), body: Vec::new() }
    }

    /// Starts a request with a token of `user` without scopes.
    pub fn as_user(&self, user: &str, method: &str, path: &str) -> RequestBuilder<'_> {
        self.with_scopes(user, &[], method, path)
    }

    /// Starts a request with a token of `user` with `scopes`.
    pub fn with_scopes(&self, user: &str, scopes: &[&str], method: &str, path: &str) -> RequestBuilder<'_> {
        self.request(method, path).token(&self.token(user, scopes))
    }

    fn record(&self, activity: Activity<'_>) {
        if let Some(partition) = (self.created_partition)(activity) {
            record_partition(&partition);
        }
    }
}

/// A request that has not been sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent until `send`"]
pub struct RequestBuilder<'a> {
    api: &'a Api,
    request: http::request::Builder,
    body: Vec<u8>,
}

impl RequestBuilder<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Adds a bearer token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request and returns the response, whatever its status.
    pub fn send(self) -> Response {
        let request = self.request.body(self.body).expect("the request is well-formed");
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut received = self.api.agent.run(request).expect("the API responds");
        let body =
            received.body_mut().with_config().limit(MAX_RESPONSE_BYTES).read_to_vec().expect("the response is readable");
        let response = Response { status: received.status().as_u16(), headers: received.headers().clone(), body };
        self.api.record(Activity::Response { method: method.as_str(), path: &path, response: &response });
        response
    }
}

/// A response of the API.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: http::HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header, or the empty string if the response does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Resolves the `Location` header, which is relative to the `path` of the request (RFC 3986, 5.2).
    pub fn location(&self, path: &str) -> String {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{}", self.header("location"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Checks that the response is a problem document, and returns its `type` without the common URN prefix.
    #[track_caller]
    pub fn problem_type(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        let kind = problem["type"].as_str().expect("a problem has a type");
        assert!(problem["title"].is_string(), "{problem}");
        assert_eq!(problem["status"], self.status, "{problem}");
        kind.strip_prefix("urn:ferrite:problem:").expect("the type has the prefix of Ferrite's problems").to_owned()
    }

    /// The fields that the `errors` of a problem name, sorted.
    pub fn invalid_fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let mut fields: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str().map(str::to_owned)).collect();
        fields.sort();
        fields
    }
}
