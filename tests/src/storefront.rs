//! The requests to the storefront's API that many tests send.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "an error here fails the test")]

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_test_harness::api::{Api, RequestBuilder, Response};
use ferrite_test_harness::cleanup::Activity;
use serde_json::{Value, json};

/// The storefront's API.
pub trait Storefront {
    /// The API of the stack that `./scripts/test` deployed. It records what the tests create.
    fn storefront() -> Self;

    /// Starts a request with an administrator's token.
    fn admin(&self, method: &str, path: &str) -> RequestBuilder<'_>;

    /// Creates a product that costs 12.50 EUR and has `stock` units in stock. Returns its id.
    fn create_product(&self, stock: u64) -> String;

    /// Reads a product without a token.
    fn product(&self, id: &str) -> Value;

    /// Places an order of `customer` for `quantity` units of one product, with `key` as its idempotency key.
    fn place_order(&self, customer: &str, key: &str, product: &str, quantity: u64, payment_token: &str) -> Response;
}

impl Storefront for Api {
    fn storefront() -> Self {
        Self::under_test().with_cleanup(created_partition)
    }

    fn admin(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        self.with_scopes("admin", &[ADMIN_SCOPE], method, path)
    }

    fn create_product(&self, stock: u64) -> String {
        let body = json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock});
        let response = self.admin("POST", "/products").json(&body).send();
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["id"].as_str().expect("a product has an id").to_owned()
    }

    fn product(&self, id: &str) -> Value {
        let response = self.request("GET", &format!("/products/{id}")).send();
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    fn place_order(&self, customer: &str, key: &str, product: &str, quantity: u64, payment_token: &str) -> Response {
        let body = json!({"lines": [{"productId": product, "quantity": quantity}], "paymentToken": payment_token});
        self.as_user(customer, "POST", "/orders").header("Idempotency-Key", key).json(&body).send()
    }
}

/// The partition of the table that a request creates. A customer's partition also has the customer's orders.
fn created_partition(activity: Activity<'_>) -> Option<String> {
    match activity {
        Activity::Token { user } => Some(format!("CUSTOMER#{user}")),
        Activity::Response { method: "POST", path, response } if path.ends_with("/products") => {
            response.json()["id"].as_str().map(|id| format!("PRODUCT#{id}"))
        }
        Activity::Response { .. } => None,
    }
}

/// The partition with the number of e-mails to a mailbox.
#[must_use]
pub fn mailbox_partition(address: &str) -> String {
    format!("MAILBOX#{address}")
}

/// The partition with the feedback about an e-mail address, which is in lower case.
#[must_use]
pub fn feedback_partition(address: &str) -> String {
    format!("ADDRESS#{address}")
}
