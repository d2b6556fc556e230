//! Every refusal is a problem document with a type that stays, and names every field at once.

use ferrite_tests::api::{Answer, Api};
use serde_json::json;

use crate::unique;

fn create(api: &Api, body: &str) -> Answer {
    api.admin("POST", "/products").header("content-type", "application/json").body(body).send()
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let api = Api::under_test();
    for (body, status, kind) in [
        ("{", 400, "malformed-request"),
        ("", 400, "malformed-request"),
        ("[]", 422, "validation"),
        ("\"text\"", 422, "validation"),
    ] {
        let answer = create(&api, body);
        assert_eq!((answer.status, answer.problem().as_str()), (status, kind), "{}", &body[..body.len().min(40)]);
    }
    let text = api.admin("POST", "/products").header("content-type", "text/plain").body("{}").send();
    assert_eq!((text.status, text.problem().as_str()), (415, "not-json"));
}

#[test]
fn a_body_that_is_too_large_is_refused_by_whoever_sees_it_first() {
    // The firewall, which cannot say that it is a problem document, or else the function.
    let answer = create(&Api::under_test(), &format!("{{\"name\": \"{}\"}}", "x".repeat(70_000)));
    assert_eq!((answer.status, &answer.json()["type"]), (413, &json!("urn:ferrite:problem:body-too-large")));
}

#[test]
fn every_field_at_fault_is_named_at_once() {
    let api = Api::under_test();
    let body = json!({
        "name": "", "description": 7, "price": {"amount": 12.5, "currency": "EURO", "vat": 1}, "stock": -1, "colour": "red"
    });
    let answer = create(&api, &body.to_string());
    assert_eq!((answer.status, answer.problem().as_str()), (422, "validation"));
    assert_eq!(answer.fields(), ["colour", "description", "name", "price.amount", "price.currency", "price.vat", "stock"]);
    assert!(answer.json()["instance"].as_str().unwrap().starts_with("urn:ferrite:request:"));

    let answer = create(&api, "{}");
    assert_eq!(answer.fields(), ["name", "price", "stock"]);
}

#[test]
fn every_line_of_an_order_is_looked_at() {
    let api = Api::under_test();
    let body =
        json!({"lines": [{"productId": "nonsense", "quantity": 0}, {"quantity": 1001, "price": 1}], "paymentToken": "4242"});
    let answer = api.customer("ada", "POST", "/orders").header("Idempotency-Key", "k").json(&body).send();
    assert_eq!((answer.status, answer.problem().as_str()), (422, "validation"));
    let fields = [
        "lines[0].productId",
        "lines[0].quantity",
        "lines[1].price",
        "lines[1].productId",
        "lines[1].quantity",
        "paymentToken",
    ];
    assert_eq!(answer.fields(), fields);

    let product = api.create_product(1);
    for lines in [json!([]), json!([{"productId": product, "quantity": 1}, {"productId": product, "quantity": 1}])] {
        let body = json!({"lines": lines, "paymentToken": "tok_success"});
        let answer = api.customer("ada", "POST", "/orders").header("Idempotency-Key", "k").json(&body).send();
        assert_eq!((answer.status, answer.fields()), (422, vec!["lines".to_owned()]));
    }
}

#[test]
fn an_order_needs_an_idempotency_key() {
    let api = Api::under_test();
    let (ada, product) = (unique("ada"), api.create_product(1));
    let body = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let missing = api.customer(&ada, "POST", "/orders").json(&body).send();
    assert_eq!((missing.status, missing.fields()), (400, vec!["idempotency-key".to_owned()]));
    assert_eq!(missing.problem(), "malformed-request");
    let long = api.customer(&ada, "POST", "/orders").header("Idempotency-Key", &"k".repeat(256)).json(&body).send();
    assert_eq!((long.status, long.problem().as_str()), (400, "malformed-request"));
    assert_eq!(api.product(&product)["stock"], 1);
}

#[test]
fn a_bad_page_is_refused() {
    let api = Api::under_test();
    for query in ["limit=0", "limit=101", "limit=ten", "cursor=nonsense", "cursor=AAAA", "limit=1&limit=2"] {
        let answer = api.call("GET", &format!("/products?{query}")).send();
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed-request"), "{query}");
        assert_eq!(answer.fields(), [query.split('=').next().unwrap()], "{query}");
    }
    let orders_cursor = "b3JkXzAxOTJmMGMxYTJiMzdjNGQ4ZTVmNjA3MTgyOTNhNGI1";
    assert_eq!(api.call("GET", &format!("/products?cursor={orders_cursor}")).send().status, 400, "another listing's cursor");
}

#[test]
fn what_is_not_there_is_404_whatever_its_name() {
    let api = Api::under_test();
    for path in [
        "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5",
        "/products/nonsense",
        "/products/ord_0192f0c1a2b37c4d8e5f60718293a4b5",
    ] {
        let answer = api.call("GET", path).send();
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{path}");
    }
    let patch = api.admin("PATCH", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5").json(&json!({"stock": 1})).send();
    assert_eq!((patch.status, patch.problem().as_str()), (404, "not-found"));
    let nowhere = api.call("GET", "/nowhere").send();
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "no-such-route"));
    let no_such_method = api.call("DELETE", "/products").send();
    assert_eq!((no_such_method.status, no_such_method.problem().as_str()), (404, "no-such-route"));
}

#[test]
fn an_update_has_to_change_something() {
    let api = Api::under_test();
    let path = format!("/products/{}", api.create_product(1));
    let nothing = api.admin("PATCH", &path).json(&json!({})).send();
    assert_eq!((nothing.status, nothing.problem().as_str()), (422, "validation"));
    let nonsense = api.admin("PATCH", &path).header("If-Match", "\"nonsense\"").json(&json!({"stock": 2})).send();
    assert_eq!((nonsense.status, nonsense.problem().as_str()), (412, "precondition-failed"));
}
