//! A client of the storefront's HTTP API, for tests: it says what it sends and shows what it gets.
#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "what fails here fails the test")]

use std::env;
use std::path::Path;
use std::time::Duration;

use ferrite_storefront_tools::scopes::ADMIN_SCOPE;
use ferrite_token_issuer::issuer::Issuer;
use serde_json::{Value, json};

use crate::made::Made;

/// The API of the stack under test.
#[derive(Debug)]
pub struct Api {
    base: String,
    issuer: Issuer,
    outputs: Value,
    agent: ureq::Agent,
}

impl Api {
    /// The stack that `./scripts/test` deployed.
    pub fn under_test() -> Self {
        let variable =
            |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests through ./scripts/test"));
        let outputs = std::fs::read_to_string(variable("FERRITE_OUTPUTS")).expect("the outputs are readable");
        Self {
            base: variable("FERRITE_API_URL"),
            issuer: Issuer::open(Path::new(&variable("FERRITE_KEYS_DIR"))).expect("the issuer has its keys"),
            outputs: serde_json::from_str(&outputs).expect("the outputs are JSON"),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build()
                .into(),
        }
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// A token with the claims that the stack's own issuer gives `customer`, and `scopes`.
    pub fn token(&self, customer: &str, scopes: &[&str]) -> String {
        Made::Customer(customer.to_owned()).note();
        self.issuer.mint(customer, scopes, Duration::from_secs(300))
    }

    /// The issuer whose keys the stack trusts.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// A request to `path`, without a token.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.call_url(method, &format!("{}{path}", self.base))
    }

    /// A request to a whole URL.
    pub fn call_url(&self, method: &str, url: &str) -> Call<'_> {
        Call { api: self, request: http::Request::builder().method(method).uri(url), body: Vec::new() }
    }

    /// A request of an admin's.
    pub fn admin(&self, method: &str, path: &str) -> Call<'_> {
        self.call(method, path).token(&self.token("admin", &[ADMIN_SCOPE]))
    }

    /// A request of a customer's.
    pub fn customer(&self, customer: &str, method: &str, path: &str) -> Call<'_> {
        self.call(method, path).token(&self.token(customer, &[]))
    }

    /// A new product at 12.50 EUR with `stock` pieces: its identifier.
    pub fn create_product(&self, stock: u64) -> String {
        let body = json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock});
        let answer = self.admin("POST", "/products").json(&body).send();
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().expect("a product has an id").to_owned()
    }

    /// The product, as anyone sees it.
    pub fn product(&self, id: &str) -> Value {
        let answer = self.call("GET", &format!("/products/{id}")).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Places an order of `customer` for pieces of one product under `key`.
    pub fn place_order(&self, customer: &str, key: &str, product: &str, quantity: u64, payment_token: &str) -> Answer {
        let body = json!({"lines": [{"productId": product, "quantity": quantity}], "paymentToken": payment_token});
        self.customer(customer, "POST", "/orders").header("Idempotency-Key", key).json(&body).send()
    }
}

/// A request that is being put together.
#[derive(Debug)]
#[must_use = "nothing is sent until `send`"]
pub struct Call<'a> {
    api: &'a Api,
    request: http::request::Builder,
    body: Vec<u8>,
}

impl Call<'_> {
    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With a bearer token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it.
    pub fn send(self) -> Answer {
        let request = self.request.body(self.body).expect("the request is well-formed");
        let makes_product = request.method() == http::Method::POST && request.uri().path().ends_with("/products");
        let mut response = self.api.agent.run(request).expect("the API answers");
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("the answer is readable");
        let answer = Answer { status: response.status().as_u16(), headers: response.headers().clone(), body };
        if let Some(id) = answer.json()["id"].as_str().filter(|_| makes_product) {
            Made::Product(id.to_owned()).note();
        }
        answer
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: http::HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The path that the `Location` header leads to, which is relative to the `path` that was asked for (RFC 3986, 5.2).
    pub fn location(&self, path: &str) -> String {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{}", self.header("location"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The problem's `type` without what all have in common, once it is sure that the answer is a problem document.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        let kind = problem["type"].as_str().expect("a problem has a type");
        assert!(problem["title"].is_string(), "{problem}");
        assert_eq!(problem["status"], self.status, "{problem}");
        kind.strip_prefix("urn:ferrite:problem:").expect("the type is one of ours").to_owned()
    }

    /// The fields that a problem names, sorted.
    pub fn fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let mut fields: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str().map(str::to_owned)).collect();
        fields.sort();
        fields
    }
}
