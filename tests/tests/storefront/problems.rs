//! Tests of problem documents: each rejected request returns a stable problem type, and all invalid fields at once.

use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::json;

fn create(api: &Api, body: &str) -> Response {
    api.admin("POST", "/products").header("content-type", "application/json").body(body).send()
}

#[test]
fn reports_all_invalid_fields_at_once() {
    let api = Api::storefront();
    let body = json!({
        "name": "", "description": 7, "price": {"amount": 12.5, "currency": "EURO", "vat": 1}, "stock": -1, "colour": "red"
    });
    let response = create(&api, &body.to_string());
    assert_eq!((response.status, response.problem_type().as_str()), (422, "validation"));
    assert_eq!(
        response.invalid_fields(),
        ["colour", "description", "name", "price.amount", "price.currency", "price.vat", "stock"]
    );
    assert!(response.json()["instance"].as_str().unwrap().starts_with("urn:ferrite:request:"));

    let response = create(&api, "{}");
    assert_eq!(response.invalid_fields(), ["name", "price", "stock"]);
}

#[test]
fn validates_every_line_of_an_order() {
    let api = Api::storefront();
    let body =
        json!({"lines": [{"productId": "nonsense", "quantity": 0}, {"quantity": 1001, "price": 1}], "paymentToken": "4242"});
    let response = api.as_user("ada", "POST", "/orders").header("Idempotency-Key", "k").json(&body).send();
    assert_eq!((response.status, response.problem_type().as_str()), (422, "validation"));
    let fields = [
        "lines[0].productId",
        "lines[0].quantity",
        "lines[1].price",
        "lines[1].productId",
        "lines[1].quantity",
        "paymentToken",
    ];
    assert_eq!(response.invalid_fields(), fields);

    let product = api.create_product(1);
    for lines in [json!([]), json!([{"productId": product, "quantity": 1}, {"productId": product, "quantity": 1}])] {
        let body = json!({"lines": lines, "paymentToken": "tok_success"});
        let response = api.as_user("ada", "POST", "/orders").header("Idempotency-Key", "k").json(&body).send();
        assert_eq!((response.status, response.invalid_fields()), (422, vec!["lines".to_owned()]));
    }
}

#[test]
fn an_order_requires_an_idempotency_key() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(1);
    let body = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let missing = api.as_user(&ada, "POST", "/orders").json(&body).send();
    assert_eq!((missing.status, missing.invalid_fields()), (400, vec!["idempotency-key".to_owned()]));
    assert_eq!(missing.problem_type(), "malformed-request");
    let long = api.as_user(&ada, "POST", "/orders").header("Idempotency-Key", &"k".repeat(256)).json(&body).send();
    assert_eq!((long.status, long.problem_type().as_str()), (400, "malformed-request"));
    assert_eq!(api.product(&product)["stock"], 1);
}

#[test]
fn rejects_invalid_page_parameters() {
    let api = Api::storefront();
    for query in ["limit=0", "limit=101", "limit=ten", "cursor=nonsense", "cursor=AAAA", "limit=1&limit=2"] {
        let response = api.request("GET", &format!("/products?{query}")).send();
        assert_eq!((response.status, response.problem_type().as_str()), (400, "malformed-request"), "{query}");
        assert_eq!(response.invalid_fields(), [query.split('=').next().unwrap()], "{query}");
    }
    let orders_cursor = "b3JkXzAxOTJmMGMxYTJiMzdjNGQ4ZTVmNjA3MTgyOTNhNGI1";
    assert_eq!(
        api.request("GET", &format!("/products?cursor={orders_cursor}")).send().status,
        400,
        "a cursor of another list"
    );
}

#[test]
fn returns_404_for_unknown_ids() {
    let api = Api::storefront();
    for path in [
        "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5",
        "/products/nonsense",
        "/products/ord_0192f0c1a2b37c4d8e5f60718293a4b5",
    ] {
        let response = api.request("GET", path).send();
        assert_eq!((response.status, response.problem_type().as_str()), (404, "not-found"), "{path}");
    }
    let patch = api.admin("PATCH", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5").json(&json!({"stock": 1})).send();
    assert_eq!((patch.status, patch.problem_type().as_str()), (404, "not-found"));
}

#[test]
fn rejects_empty_updates_and_malformed_etags() {
    let api = Api::storefront();
    let path = format!("/products/{}", api.create_product(1));
    let nothing = api.admin("PATCH", &path).json(&json!({})).send();
    assert_eq!((nothing.status, nothing.problem_type().as_str()), (422, "validation"));
    let nonsense = api.admin("PATCH", &path).header("If-Match", "\"nonsense\"").json(&json!({"stock": 2})).send();
    assert_eq!((nonsense.status, nonsense.problem_type().as_str()), (412, "precondition-failed"));
}
