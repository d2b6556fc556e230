//! Snapshots of the API's responses. Each response is also validated against the OpenAPI document.
//!
//! To accept changed responses:
//!
//! ```sh
//! ./scripts/generate --snapshots
//! ```

use std::fmt::Write;
use std::path::Path;

use ferrite_local_stack::template::Template;
use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::routes::assert_every_route_has_a_test_of_its_responses;
use ferrite_test_harness::{mailbox, unique};
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

use crate::email_confirmation::{confirm, confirmation_token};

const SNAPSHOT_HEADERS: [&str; 6] = ["content-type", "cache-control", "etag", "location", "retry-after", "www-authenticate"];

/// Patterns of the text that differs from run to run, with their replacements.
const VOLATILE: [(&str, &str); 6] = [
    ("(prd|ord|img)_[0-9a-f]{32}", "${1}_…"),
    ("urn:ferrite:request:[0-9A-Za-z-]+", "urn:ferrite:request:…"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "…Z"),
    (r#""url": "[^"]+""#, r#""url": "…""#),
    (r#""nextCursor": "[^"]+""#, r#""nextCursor": "…""#),
    (r"(ada|bob)-[0-9a-f]{32}", "$1"),
];

/// The responses of one operation, in the order in which they are added.
pub(crate) struct OperationResponses {
    operation: &'static str,
    document: Value,
    text: String,
}

impl OperationResponses {
    /// Starts the list of responses of an operation, given by its `operationId`.
    pub(crate) fn of(operation: &'static str) -> Self {
        let document = serde_json::from_str(include_str!("../../../shared/api/openapi.json")).unwrap();
        Self { operation, document, text: String::new() }
    }

    /// Validates a response and adds it under a heading.
    #[track_caller]
    pub(crate) fn add(mut self, heading: &str, response: &Response) -> Self {
        self.validate(response);
        let _ = writeln!(self.text, "# {heading}\n{}", response.status);
        // Gateways disagree about the content type of a response without a body, so it is left out.
        let is_shown =
            |name: &&&str| !response.header(name).is_empty() && (**name != "content-type" || !response.body.is_empty());
        for name in SNAPSHOT_HEADERS.iter().filter(is_shown) {
            let _ = writeln!(self.text, "{name}: {}", response.header(name));
        }
        if !response.body.is_empty() {
            let mut body = response.json();
            body.sort_all_objects();
            // Errors are in the order of the request's fields, which serde_json keeps or sorts depending on the
            // features that are enabled in the build.
            if let Some(errors) = body.get_mut("errors").and_then(Value::as_array_mut) {
                errors.sort_by_key(|error| error["field"].to_string());
            }
            let _ = writeln!(self.text, "{body:#}");
        }
        self.text.push('\n');
        self
    }

    /// Checks that the document describes a response with this status, and that its headers and body match the
    /// description.
    #[track_caller]
    pub(crate) fn validate(&self, response: &Response) {
        let mut operations =
            self.document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let operation =
            operations.find(|operation| operation["operationId"] == self.operation).expect("it is in the document");
        let described = &operation["responses"][response.status.to_string()];
        let described = self.resolved(described);
        assert!(
            described.is_object(),
            "{} returned {}, which is not in the document: {}",
            self.operation,
            response.status,
            response.text()
        );
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let header = self.resolved(header);
            assert!(header["required"] != true || !response.header(name).is_empty(), "{} has no {name}", self.operation);
        }
        let content = described["content"].as_object().and_then(|content| content.iter().next());
        let Some((media_type, content)) = content else {
            return assert!(response.body.is_empty(), "{}", response.text());
        };
        assert_eq!(response.header("content-type"), media_type);
        let schema = json!({"components": self.document["components"], "allOf": [content["schema"]]});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&response.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{} {}: {errors:?}\n{}", self.operation, response.status, response.text());
    }

    /// Returns the component that `value` refers to, or `value` itself.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        reference.and_then(|reference| self.document.pointer(reference.trim_start_matches('#'))).unwrap_or(value)
    }

    /// Compares the responses with the snapshot of the operation.
    pub(crate) fn assert_snapshot(self) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, replacement) in VOLATILE {
            settings.add_filter(pattern, replacement);
        }
        // Printed only if the test fails.
        eprintln!("To accept changed responses, run ./scripts/generate --snapshots and review the diff of the snapshots.");
        settings.bind(|| insta::assert_snapshot!(self.operation, self.text));
    }
}

/// api_document.rs tests describe-api, and tests/platform answer-preflight.
#[test]
fn every_route_has_a_test_of_its_responses() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let template = Template::read(&tests.join("../template.yaml")).unwrap();
    let others = ["answer-preflight", "describe-api"];
    assert_every_route_has_a_test_of_its_responses(&template, &tests.join("tests/storefront"), &others);
}

const UNKNOWN_PRODUCT: &str = "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5";
const UNKNOWN_ORDER: &str = "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5";

fn product(stock: u64) -> Value {
    json!({"name": "Assam", "description": "Malty.", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock})
}

#[test]
fn create_product() {
    let api = Api::storefront();
    let post = |body: &str| api.admin("POST", "/products").header("content-type", "application/json").body(body).send();
    OperationResponses::of("create-product")
        .add("created", &post(&product(3).to_string()))
        .add("malformed JSON", &post("{"))
        .add("invalid fields", &post(r#"{"name": "", "price": {"amount": -1, "currency": "EURO"}, "colour": "red"}"#))
        .add("missing content type", &api.admin("POST", "/products").body("{}").send())
        .add("no token", &api.request("POST", "/products").json(&product(3)).send())
        .add("missing scope", &api.as_user("ada", "POST", "/products").json(&product(3)).send())
        .assert_snapshot();
}

#[test]
fn list_and_get_products() {
    let api = Api::storefront();
    // Other tests create products at the same time, so the list is validated but has no snapshot.
    OperationResponses::of("list-products").validate(&api.request("GET", "/products?limit=100").send());
    OperationResponses::of("list-products")
        .add("invalid limit", &api.request("GET", "/products?limit=0").send())
        .assert_snapshot();
    let path = format!("/products/{}", api.create_product(3));
    let found = api.request("GET", &path).send();
    let not_modified = api.request("GET", &path).header("If-None-Match", found.header("etag")).send();
    OperationResponses::of("get-product")
        .add("found", &found)
        .add("not modified", &not_modified)
        .add("unknown product", &api.request("GET", UNKNOWN_PRODUCT).send())
        .assert_snapshot();
}

#[test]
fn change_products() {
    let api = Api::storefront();
    let path = format!("/products/{}", api.create_product(3));
    let patch = |path: &str, tag: &str, body: Value| api.admin("PATCH", path).header("If-Match", tag).json(&body).send();
    OperationResponses::of("update-product")
        .add("updated", &patch(&path, "\"1-0\"", json!({"description": "Malty.", "stock": 4})))
        .add("stale ETag", &patch(&path, "\"1-0\"", json!({"stock": 5})))
        .add("empty update", &patch(&path, "*", json!({})))
        .add("unknown product", &patch(UNKNOWN_PRODUCT, "*", json!({"stock": 5})))
        .assert_snapshot();
    let upload = |path: &str, size: u64| {
        let body = json!({"contentType": "image/png", "sizeBytes": size});
        api.admin("POST", &format!("{path}/images")).json(&body).send()
    };
    OperationResponses::of("request-image-upload")
        .add("accepted", &upload(&path, 2048))
        .add("file too large", &upload(&path, 1 << 30))
        .add("unknown product", &upload(UNKNOWN_PRODUCT, 2048))
        .assert_snapshot();
    OperationResponses::of("delete-product")
        .add("deleted", &api.admin("DELETE", &path).send())
        .add("already deleted", &api.admin("DELETE", &path).send())
        .assert_snapshot();
}

#[test]
fn register_customer() {
    let api = Api::storefront();
    let ada = unique("ada");
    let put = |email: &str| api.as_user(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    OperationResponses::of("register-customer")
        .add("first registration", &put("ada@example.com"))
        .add("changed registration", &put("lovelace@example.com"))
        .add("invalid e-mail address", &put("ada"))
        .assert_snapshot();
    OperationResponses::of("get-customer")
        .add("registered", &api.as_user(&ada, "GET", "/me").send())
        .add("not registered", &api.as_user(&unique("bob"), "GET", "/me").send())
        .assert_snapshot();
}

#[test]
fn confirm_address() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    let registration = api.as_user(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    assert_eq!(registration.status, 201);
    let token = confirmation_token(&mailbox::wait_for(&email, "Welcome"));
    OperationResponses::of("confirm-address")
        .add("wrong token", &confirm(&api, &ada, &"0".repeat(32)))
        .add("not a token", &confirm(&api, &ada, "123456"))
        .add("confirmed", &confirm(&api, &ada, &token))
        .add("not registered", &confirm(&api, &unique("bob"), &token))
        .assert_snapshot();
}

#[test]
fn orders() {
    let api = Api::storefront();
    let ada = unique("ada");
    let bob = unique("bob");
    let product = api.create_product(3);
    let place = |key: &str, product: &str, quantity: u64| api.place_order(&ada, key, product, quantity, "tok_declined");
    let order = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let placed = place("k1", &product, 2);
    let path = placed.location("/orders");
    // The snapshots below need the final status; how long the order stays pending varies.
    let final_order = wait_for("the order to leave the status pending", || {
        Some(api.as_user(&ada, "GET", &path).send()).filter(|order| order.json()["status"] != "pending")
    });
    OperationResponses::of("place-order")
        .add("placed", &placed)
        .add("repeated request", &place("k1", &product, 2))
        .add("key used for another request", &place("k1", &product, 1))
        .add("not enough stock", &place("k2", &product, 999))
        .add("unknown product", &place("k3", UNKNOWN_PRODUCT.trim_start_matches("/products/"), 1))
        .add("missing idempotency key", &api.as_user(&ada, "POST", "/orders").json(&order).send())
        .add("no token", &api.request("POST", "/orders").json(&order).send())
        .assert_snapshot();
    OperationResponses::of("get-order")
        .add("payment failed", &final_order)
        .add("another customer's order", &api.as_user(&bob, "GET", &path).send())
        .assert_snapshot();
    OperationResponses::of("list-orders")
        .add("one order", &api.as_user(&ada, "GET", "/orders").send())
        .add("no orders", &api.as_user(&bob, "GET", "/orders").send())
        .add("invalid cursor", &api.as_user(&bob, "GET", "/orders?cursor=nonsense").send())
        .assert_snapshot();
    OperationResponses::of("cancel-order")
        .add("payment already failed", &api.as_user(&ada, "POST", &format!("{path}/cancel")).send())
        .add("unknown order", &api.as_user(&ada, "POST", &format!("{UNKNOWN_ORDER}/cancel")).send())
        .assert_snapshot();
}
