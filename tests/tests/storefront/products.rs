use ferrite_tests::api::Api;
use ferrite_tests::poll::until;
use serde_json::{Value, json};

use crate::unique;

#[test]
fn a_product_is_created_shown_changed_and_deleted() {
    let api = Api::under_test();
    let body = json!({"name": "Assam", "description": "Malty.", "price": {"amount": 1250, "currency": "EUR"}, "stock": 3});
    let created = api.admin("POST", "/products").json(&body).send();
    assert_eq!(created.status, 201, "{}", created.text());
    let product = created.json();
    let path = created.location("/products");
    assert_eq!(path, format!("/products/{}", product["id"].as_str().unwrap()));
    assert_eq!((&product["name"], &product["stock"], &product["version"]), (&json!("Assam"), &json!(3), &json!(1)));
    assert_eq!(product["price"], json!({"amount": 1250, "currency": "EUR"}));
    assert_eq!(product["images"], json!([]));
    assert!(product["createdAt"].as_str().unwrap().ends_with('Z'));

    let shown = api.call("GET", &path).send();
    assert_eq!((shown.status, shown.json()), (200, product));

    let changed = api.admin("PATCH", &path).json(&json!({"stock": 9, "description": null})).send();
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!((&changed.json()["stock"], &changed.json()["version"]), (&json!(9), &json!(2)));
    assert_eq!(changed.json().get("description"), None, "what is not there is left out, not null");
    assert_eq!(api.call("GET", &path).send().json(), changed.json());

    assert_eq!(api.admin("DELETE", &path).send().status, 204);
    assert_eq!(api.call("GET", &path).send().problem(), "not-found");
    assert_eq!(api.admin("DELETE", &path).send().status, 404);
}

#[test]
fn a_client_that_holds_the_product_is_told_so() {
    let api = Api::under_test();
    let path = format!("/products/{}", api.create_product(1));
    let first = api.call("GET", &path).send();
    let tag = first.header("etag").to_owned();
    let second = api.call("GET", &path).header("If-None-Match", &tag).send();
    assert_eq!((second.status, second.body.len(), second.header("etag")), (304, 0, tag.as_str()));

    api.admin("PATCH", &path).json(&json!({"name": "Darjeeling"})).send();
    let third = api.call("GET", &path).header("If-None-Match", &tag).send();
    assert_eq!((third.status, &third.json()["name"]), (200, &json!("Darjeeling")));
}

#[test]
fn an_update_of_what_has_changed_in_the_meantime_is_refused() {
    let api = Api::under_test();
    let path = format!("/products/{}", api.create_product(1));
    let tag = api.call("GET", &path).send().header("etag").to_owned();
    let update = |stock| api.admin("PATCH", &path).header("If-Match", &tag).json(&json!({"stock": stock})).send();
    assert_eq!(update(5).status, 200);
    let stale = update(6);
    assert_eq!((stale.status, stale.problem().as_str()), (412, "precondition-failed"));
    assert_eq!(api.call("GET", &path).send().json()["stock"], 5);
}

#[test]
fn the_list_is_newest_first_and_its_pages_join() {
    let api = Api::under_test();
    let mut made: Vec<String> = (0..3).map(|_| api.create_product(1)).collect();
    made.reverse();
    let newest = |limit| api.call("GET", &format!("/products?limit={limit}")).send().json();
    until("the index to have the products", || {
        let items = newest(100)["items"].as_array().unwrap().clone();
        made.iter().all(|id| items.iter().any(|item| item["id"] == id.as_str())).then_some(())
    });

    let (mut seen, mut cursor): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = api.call("GET", &format!("/products?limit=2{after}")).send().json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || made.iter().all(|id| seen.contains(id)) {
            break;
        }
    }
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
    let ours: Vec<_> = seen.into_iter().filter(|id| made.contains(id)).collect();
    assert_eq!(ours, made);
}

#[test]
fn a_request_for_the_head_gets_what_get_says_without_the_body() {
    let api = Api::under_test();
    let path = format!("/products/{}", api.create_product(1));
    let (get, head) = (api.call("GET", &path).send(), api.call("HEAD", &path).send());
    assert_eq!((head.status, head.header("etag"), head.body.len()), (200, get.header("etag"), 0));
    let held = api.call("HEAD", &path).header("If-None-Match", get.header("etag")).send();
    assert_eq!(held.status, 304);
    assert_eq!(api.call("HEAD", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5").send().status, 404);
}

#[test]
fn a_product_is_created_once_under_an_idempotency_key() {
    let (api, key) = (Api::under_test(), unique("key"));
    let create = |name: &str| {
        let body = json!({"name": name, "price": {"amount": 1250, "currency": "EUR"}, "stock": 1});
        api.admin("POST", "/products").header("Idempotency-Key", &key).json(&body).send()
    };
    let (first, again) = (create("Assam"), create("Assam"));
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!((again.status, &again.body, again.header("location")), (201, &first.body, first.header("location")));
    assert_eq!(create("Darjeeling").problem(), "idempotency-key-reused");
}

#[test]
fn a_key_whose_request_was_refused_can_be_used_again() {
    let (api, key) = (Api::under_test(), unique("key"));
    let create = |stock: i64| {
        let body = json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock});
        api.admin("POST", "/products").header("Idempotency-Key", &key).json(&body).send()
    };
    assert_eq!(create(-1).status, 422);
    assert_eq!(create(1).status, 201);
}
