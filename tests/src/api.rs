//! A client of the storefront's HTTP API for tests.
#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "an error here fails the test")]

use std::env;
use std::path::Path;
use std::time::Duration;

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_token_issuer::issuer::Issuer;
use serde_json::{Value, json};

use crate::created::Created;

/// The API of the stack under test.
#[derive(Debug)]
pub struct Api {
    base_url: String,
    issuer: Issuer,
    outputs: Value,
    agent: ureq::Agent,
}

impl Api {
    /// The API of the stack that `./scripts/test` deployed.
    pub fn under_test() -> Self {
        let variable =
            |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests through ./scripts/test"));
        let outputs = std::fs::read_to_string(variable("FERRITE_OUTPUTS")).expect("the outputs are readable");
        Self {
            base_url: variable("FERRITE_API_URL"),
            issuer: Issuer::open(Path::new(&variable("FERRITE_KEYS_DIR"))).expect("the issuer has its keys"),
            outputs: serde_json::from_str(&outputs).expect("the outputs are JSON"),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build()
                .into(),
        }
    }

    /// Returns an output of the stack.
    pub fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// Issues a token for `customer` with `scopes`, signed by the issuer that the stack trusts.
    pub fn token(&self, customer: &str, scopes: &[&str]) -> String {
        Created::Customer(customer.to_owned()).record();
        self.issuer.mint(customer, scopes, Duration::from_secs(300))
    }

    /// The URL of the API, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The token issuer that the stack trusts.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Starts a request to `path` without a token.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        self.request_url(method, &format!("{}{path}", self.base_url))
    }

    /// Starts a request to a full URL.
    pub fn request_url(&self, method: &str, url: &str) -> RequestBuilder<'_> {
        RequestBuilder { api: self, request: http::Request::builder().method(method).uri(url), body: Vec::new() }
    }

    /// Starts a request with an administrator's token.
    pub fn admin(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        self.request(method, path).token(&self.token("admin", &[ADMIN_SCOPE]))
    }

    /// Starts a request with a token of `customer`.
    pub fn customer(&self, customer: &str, method: &str, path: &str) -> RequestBuilder<'_> {
        self.request(method, path).token(&self.token(customer, &[]))
    }

    /// Creates a product that costs 12.50 EUR and has `stock` units in stock. Returns its id.
    pub fn create_product(&self, stock: u64) -> String {
        let body = json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock});
        let response = self.admin("POST", "/products").json(&body).send();
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["id"].as_str().expect("a product has an id").to_owned()
    }

    /// Reads a product without a token.
    pub fn product(&self, id: &str) -> Value {
        let response = self.request("GET", &format!("/products/{id}")).send();
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// Places an order of `customer` for `quantity` units of one product, with `key` as its idempotency key.
    pub fn place_order(&self, customer: &str, key: &str, product: &str, quantity: u64, payment_token: &str) -> Response {
        let body = json!({"lines": [{"productId": product, "quantity": quantity}], "paymentToken": payment_token});
        self.customer(customer, "POST", "/orders").header("Idempotency-Key", key).json(&body).send()
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
        let creates_product = request.method() == http::Method::POST && request.uri().path().ends_with("/products");
        let mut received = self.api.agent.run(request).expect("the API responds");
        let body = received.body_mut().with_config().limit(64 << 20).read_to_vec().expect("the response is readable");
        let response = Response { status: received.status().as_u16(), headers: received.headers().clone(), body };
        if let Some(id) = response.json()["id"].as_str().filter(|_| creates_product) {
            Created::Product(id.to_owned()).record();
        }
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
