//! Tests of placing, paying and listing orders.

use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

fn order(api: &Api, customer: &str, placed: &Response) -> Value {
    assert_eq!(placed.status, 202, "{}", placed.text());
    let found = api.as_user(customer, "GET", &placed.location("/orders")).send();
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()
}

fn wait_for_final_status(api: &Api, customer: &str, placed: &Response) -> Value {
    wait_for("the order to leave the status pending", || {
        Some(order(api, customer, placed)).filter(|order| order["status"] != "pending")
    })
}

#[test]
fn an_order_is_paid_and_a_repeated_request_returns_the_same_order() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(5);
    let first = api.place_order(&ada, "k1", &product, 2, "tok_success");
    assert_eq!(first.status, 202, "{}", first.text());
    let placed = first.json();
    assert_eq!(placed["status"], "pending");
    assert_eq!(placed["total"], json!({"amount": 2500, "currency": "EUR"}));
    assert_eq!(
        placed["lines"][0],
        json!({"productId": product, "quantity": 2, "unitPrice": {"amount": 1250, "currency": "EUR"}})
    );
    assert!(!first.text().contains("tok_"), "the response must not contain the payment token");

    let paid = wait_for_final_status(&api, &ada, &first);
    assert_eq!((&paid["status"], &paid["id"]), (&json!("paid"), &placed["id"]));

    let repeated = api.place_order(&ada, "k1", &product, 2, "tok_success");
    assert_eq!((repeated.status, &repeated.body, repeated.header("location")), (202, &first.body, first.header("location")));
    assert_eq!(api.product(&product)["stock"], 3, "the stock is reserved once");
    let list = api.as_user(&ada, "GET", "/orders").send().json();
    assert_eq!(list, json!({"items": [paid]}));
}

#[test]
fn a_declined_payment_returns_the_stock() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(5);
    let failed = wait_for_final_status(&api, &ada, &api.place_order(&ada, "k1", &product, 2, "tok_declined"));
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("payment_failed"), &json!("the card was declined")));
    assert_eq!(api.product(&product)["stock"], 5);
}

#[test]
fn retries_a_payment_that_times_out() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(5);
    let paid = wait_for_final_status(&api, &ada, &api.place_order(&ada, "k1", &product, 1, "tok_timeout_once"));
    assert_eq!(paid["status"], "paid");
    assert_eq!(api.product(&product)["stock"], 4);
}

#[test]
fn an_idempotency_key_identifies_one_request_of_one_customer() {
    let api = Api::storefront();
    let ada = unique("ada");
    let bob = unique("bob");
    let product = api.create_product(5);
    let first = api.place_order(&ada, "k1", &product, 1, "tok_success");
    let changed = api.place_order(&ada, "k1", &product, 2, "tok_success");
    assert_eq!((changed.status, changed.problem_type().as_str()), (422, "idempotency-key-reused"));
    let bobs = api.place_order(&bob, "k1", &product, 1, "tok_success");
    assert_eq!(bobs.status, 202);
    assert_ne!(bobs.json()["id"], first.json()["id"]);

    let reformatted = format!(
        "{{ \"paymentToken\": \"tok_success\",\n \"lines\": [ {{\"quantity\": 1, \"productId\": \"{product}\"}} ] }}"
    );
    let same = api
        .as_user(&ada, "POST", "/orders")
        .header("Idempotency-Key", "k1")
        .header("content-type", "application/json")
        .body(reformatted)
        .send();
    assert_eq!((same.status, same.body), (202, first.body), "the same JSON with other whitespace and key order");
}

#[test]
fn concurrent_orders_do_not_oversell() {
    let api = Api::storefront();
    let product = api.create_product(3);
    let place = |n: usize| api.place_order(&unique("ada"), &n.to_string(), &product, 1, "tok_success").status;
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let requests: Vec<_> = (0..8).map(|n| scope.spawn(move || place(n))).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 202, 202, 409, 409, 409, 409, 409]);
    assert_eq!(api.product(&product)["stock"], 0);
}

#[test]
fn concurrent_requests_with_the_same_key_place_one_order() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(1);
    let place = || api.place_order(&ada, "k1", &product, 1, "tok_success");
    let responses: Vec<Response> = std::thread::scope(|scope| {
        let requests: Vec<_> = (0..6).map(|_| scope.spawn(place)).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    });
    for response in &responses {
        assert_eq!((response.status, &response.body), (202, &responses[0].body), "{}", response.text());
    }
    assert_eq!(api.product(&product)["stock"], 0);
}

#[test]
fn the_key_of_a_rejected_order_can_be_reused() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(1);
    let short = api.place_order(&ada, "k1", &product, 2, "tok_success");
    assert_eq!((short.status, short.problem_type().as_str()), (409, "out-of-stock"));
    let unknown = api.place_order(&ada, "k1", "prd_0192f0c1a2b37c4d8e5f60718293a4b5", 1, "tok_success");
    assert_eq!((unknown.status, unknown.invalid_fields()), (422, vec!["lines[0].productId".to_owned()]));
    assert_eq!(api.place_order(&ada, "k1", &product, 1, "tok_success").status, 202);
}

#[test]
fn returns_404_for_another_customers_order() {
    let api = Api::storefront();
    let ada = unique("ada");
    let bob = unique("bob");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k1", &product, 1, "tok_success");
    let foreign = api.as_user(&bob, "GET", &placed.location("/orders")).send();
    assert_eq!((foreign.status, foreign.problem_type().as_str()), (404, "not-found"));
    assert_eq!(api.as_user(&bob, "GET", "/orders").send().json(), json!({"items": []}));
}

#[test]
fn lists_orders_newest_first_in_pages() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(9);
    let mut placed: Vec<Value> =
        ["a", "b", "c"].map(|key| api.place_order(&ada, key, &product, 1, "tok_success").json()["id"].clone()).into();
    placed.reverse();
    let page = |query: &str| api.as_user(&ada, "GET", &format!("/orders?limit=2{query}")).send().json();
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect::<Vec<_>>();
    let first = page("");
    assert_eq!(ids(&first), placed[..2]);
    let second = page(&format!("&cursor={}", first["nextCursor"].as_str().unwrap()));
    assert_eq!((ids(&second), second.get("nextCursor")), (placed[2..].to_vec(), None));
}
