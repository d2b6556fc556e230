//! Tests of creating, reading, updating, deleting and listing products.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

#[test]
fn creates_reads_updates_and_deletes_a_product() {
    let api = Api::storefront();
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

    let shown = api.request("GET", &path).send();
    assert_eq!((shown.status, shown.json()), (200, product));

    let changed = api.admin("PATCH", &path).json(&json!({"stock": 9, "description": null})).send();
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!((&changed.json()["stock"], &changed.json()["version"]), (&json!(9), &json!(2)));
    assert_eq!(changed.json().get("description"), None, "a missing description is left out, not null");
    assert_eq!(api.request("GET", &path).send().json(), changed.json());

    assert_eq!(api.admin("DELETE", &path).send().status, 204);
    assert_eq!(api.request("GET", &path).send().problem_type(), "not-found");
    assert_eq!(api.admin("DELETE", &path).send().status, 404);
}

#[test]
fn normalizes_names_and_rejects_misleading_ones() {
    let api = Api::storefront();
    let create = |name: &str| {
        let body =
            json!({"name": name, "description": "Cre\u{300}me.", "price": {"amount": 1250, "currency": "EUR"}, "stock": 3});
        let request = api.admin("POST", "/products").header("content-type", "application/json");
        // Some clients write a byte order mark.
        request.body(format!("\u{feff}{body}")).send()
    };
    let created = create(" Cafe\u{301} ");
    assert_eq!(created.status, 201, "{}", created.text());
    let path = created.location("/products");
    let found = api.request("GET", &path).send().json();
    assert_eq!((&found["name"], &found["description"]), (&json!("Caf\u{e9}"), &json!("Cr\u{e8}me.")));
    for name in ["\u{200b}", "\u{2800}", "Tea\u{202e}", "Tea\u{e0061}"] {
        let rejected = create(name);
        assert_eq!(
            (rejected.status, rejected.invalid_fields()),
            (422, vec!["name".to_owned()]),
            "{}",
            name.escape_unicode()
        );
    }
    assert_eq!(api.admin("DELETE", &path).send().status, 204);
}

#[test]
fn returns_304_when_the_client_has_the_current_version() {
    let api = Api::storefront();
    let path = format!("/products/{}", api.create_product(1));
    let first = api.request("GET", &path).send();
    let tag = first.header("etag").to_owned();
    let second = api.request("GET", &path).header("If-None-Match", &tag).send();
    assert_eq!((second.status, second.body.len(), second.header("etag")), (304, 0, tag.as_str()));

    api.admin("PATCH", &path).json(&json!({"name": "Darjeeling"})).send();
    let third = api.request("GET", &path).header("If-None-Match", &tag).send();
    assert_eq!((third.status, &third.json()["name"]), (200, &json!("Darjeeling")));
}

#[test]
fn rejects_an_update_with_a_stale_etag() {
    let api = Api::storefront();
    let path = format!("/products/{}", api.create_product(1));
    let tag = api.request("GET", &path).send().header("etag").to_owned();
    let update = |stock| api.admin("PATCH", &path).header("If-Match", &tag).json(&json!({"stock": stock})).send();
    assert_eq!(update(5).status, 200);
    let stale = update(6);
    assert_eq!((stale.status, stale.problem_type().as_str()), (412, "precondition-failed"));
    assert_eq!(api.request("GET", &path).send().json()["stock"], 5);
}

#[test]
fn lists_products_newest_first_in_pages() {
    let api = Api::storefront();
    let mut created: Vec<String> = (0..3).map(|_| api.create_product(1)).collect();
    created.reverse();
    let newest = |limit| api.request("GET", &format!("/products?limit={limit}")).send().json();
    wait_for("the products to be in the index", || {
        let items = newest(100)["items"].as_array().unwrap().clone();
        created.iter().all(|id| items.iter().any(|item| item["id"] == id.as_str())).then_some(())
    });

    let mut ids: Vec<String> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = api.request("GET", &format!("/products?limit=2{after}")).send().json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || created.iter().all(|id| ids.contains(id)) {
            break;
        }
    }
    assert!(ids.is_sorted_by(|a, b| a > b), "the list is not sorted by creation time, newest first");
    let listed: Vec<_> = ids.into_iter().filter(|id| created.contains(id)).collect();
    assert_eq!(listed, created);
}

#[test]
fn head_returns_the_headers_of_get_without_the_body() {
    let api = Api::storefront();
    let path = format!("/products/{}", api.create_product(1));
    let get = api.request("GET", &path).send();
    let head = api.request("HEAD", &path).send();
    assert_eq!((head.status, head.header("etag"), head.body.len()), (200, get.header("etag"), 0));
    let not_modified = api.request("HEAD", &path).header("If-None-Match", get.header("etag")).send();
    assert_eq!(not_modified.status, 304);
    assert_eq!(api.request("HEAD", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5").send().status, 404);
}

#[test]
fn an_idempotency_key_creates_one_product() {
    let api = Api::storefront();
    let key = unique("key");
    let create = |name: &str| {
        let body = json!({"name": name, "price": {"amount": 1250, "currency": "EUR"}, "stock": 1});
        api.admin("POST", "/products").header("Idempotency-Key", &key).json(&body).send()
    };
    let first = create("Assam");
    let repeated = create("Assam");
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!((repeated.status, &repeated.body, repeated.header("location")), (201, &first.body, first.header("location")));
    assert_eq!(create("Darjeeling").problem_type(), "idempotency-key-reused");
}

#[test]
fn the_key_of_a_rejected_request_can_be_reused() {
    let api = Api::storefront();
    let key = unique("key");
    let create = |stock: i64| {
        let body = json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock});
        api.admin("POST", "/products").header("Idempotency-Key", &key).json(&body).send()
    };
    assert_eq!(create(-1).status, 422);
    assert_eq!(create(1).status, 201);
}
