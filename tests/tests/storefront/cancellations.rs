//! Tests of customers who cancel an order while its payment is in progress.

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::{mailbox, unique};
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

use crate::email_confirmation::register_and_confirm;

fn cancel(api: &Api, customer: &str, placed: &Response) -> Response {
    api.as_user(customer, "POST", &format!("{}/cancel", placed.location("/orders"))).send()
}

/// Places an order and cancels it before it is paid. Returns both responses. The payment times out once, which leaves
/// about a second to cancel. On a slow machine the order may be paid first; another order is placed then.
fn place_and_cancel(api: &Api, customer: &str, product: &str) -> (Response, Response) {
    let mut key = 0;
    wait_for("an order to be cancelled before it is paid", || {
        key += 1;
        let placed = api.place_order(customer, &key.to_string(), product, 2, "tok_timeout_once");
        let response = cancel(api, customer, &placed);
        assert!(matches!(response.status, 200 | 409), "{}", response.text());
        (response.status == 200).then_some((placed, response))
    })
}

/// The outcome of the order's payment in the sandbox ledger, if it has one.
fn payment_outcome(api: &Api, order: &Value) -> Option<String> {
    let sdk = Sdk::under_test();
    let key = AttributeValue::S(order["id"].as_str().unwrap().to_owned());
    let get =
        sdk.dynamodb().get_item().table_name(api.output("SandboxLedgerName")).key("orderId", key).consistent_read(true);
    sdk.block_on(get.send()).unwrap().item?.get("outcome")?.as_s().ok().cloned()
}

#[test]
fn a_cancellation_returns_the_stock_and_voids_the_payment() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(500);
    let email = format!("{ada}@example.com");
    register_and_confirm(&api, &ada, &email);

    let (placed, response) = place_and_cancel(&api, &ada, &product);
    let order = response.json();
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("cancelled by the customer")));
    assert_eq!(api.as_user(&ada, "GET", &placed.location("/orders")).send().json(), order);
    let again = cancel(&api, &ada, &placed);
    assert_eq!((again.status, &again.body), (200, &response.body));

    wait_for("the payment to be voided", || (payment_outcome(&api, &order)? == "voided").then_some(()));
    mailbox::wait_for(&email, &format!("{} has been cancelled", order["id"].as_str().unwrap()));
    // Orders that were paid before they could be cancelled keep their stock.
    let orders = api.as_user(&ada, "GET", "/orders?limit=100").send().json();
    let paid = orders["items"].as_array().unwrap().iter().filter(|order| order["status"] != "cancelled").count();
    assert_eq!(api.product(&product)["stock"], 500 - 2 * paid);
}

#[test]
fn rejects_the_cancellation_of_a_paid_order() {
    let api = Api::storefront();
    let ada = unique("ada");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    wait_for("the order to be paid", || {
        let order = api.as_user(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });
    let rejected = cancel(&api, &ada, &placed);
    assert_eq!((rejected.status, rejected.problem_type().as_str()), (409, "wrong-state"));
    assert_eq!(api.product(&product)["stock"], 0);
}

#[test]
fn returns_404_for_the_cancellation_of_another_customers_order() {
    let api = Api::storefront();
    let ada = unique("ada");
    let bob = unique("bob");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    let rejected = cancel(&api, &bob, &placed);
    assert_eq!((rejected.status, rejected.problem_type().as_str()), (404, "not-found"));
    assert_eq!(cancel(&api, "nobody", &placed).status, 404);
}
