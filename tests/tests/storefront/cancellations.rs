//! Orders that their customers cancel, with the payment on its way.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_aws::sdk_config;
use ferrite_tests::api::{Answer, Api};
use ferrite_tests::poll::until;
use serde_json::{Value, json};

use crate::{mailbox, unique};

fn cancel(api: &Api, customer: &str, placed: &Answer) -> Answer {
    api.customer(customer, "POST", &format!("{}/cancel", placed.location("/orders"))).send()
}

/// An order that was cancelled before it was paid. Its payment times out once, so there is a second for that; a machine that
/// is slower tries again.
fn cancelled(api: &Api, customer: &str, product: &str) -> (Answer, Answer) {
    let mut key = 0;
    until("an order to be cancelled before it is paid", || {
        key += 1;
        let placed = api.place_order(customer, &key.to_string(), product, 2, "tok_timeout_once");
        let answer = cancel(api, customer, &placed);
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
        (answer.status == 200).then_some((placed, answer))
    })
}

fn ledger_says(api: &Api, order: &Value) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&sdk_config().expect("./scripts/test sets the AWS_* variables"));
    let key = AttributeValue::S(order["id"].as_str().unwrap().to_owned());
    let get = client.get_item().table_name(api.output("SandboxLedgerName")).key("orderId", key).consistent_read(true);
    runtime.block_on(get.send()).unwrap().item?.get("outcome")?.as_s().ok().cloned()
}

#[test]
fn a_cancelled_order_returns_its_stock_and_is_not_paid_for() {
    let api = Api::under_test();
    let (ada, product) = (unique("ada"), api.create_product(500));
    let email = format!("{ada}@example.com");
    assert_eq!(api.customer(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send().status, 201);

    let (placed, answer) = cancelled(&api, &ada, &product);
    let order = answer.json();
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("cancelled by the customer")));
    assert_eq!(api.customer(&ada, "GET", &placed.location("/orders")).send().json(), order);
    let again = cancel(&api, &ada, &placed);
    assert_eq!((again.status, &again.body), (200, &answer.body));

    until("the payment to be voided", || (ledger_says(&api, &order)? == "voided").then_some(()));
    mailbox::wait_for(&email, &format!("{} has been cancelled", order["id"].as_str().unwrap()));
    // Orders that were paid before one could be cancelled keep their pieces.
    let orders = api.customer(&ada, "GET", "/orders?limit=100").send().json();
    let paid = orders["items"].as_array().unwrap().iter().filter(|order| order["status"] != "cancelled").count();
    assert_eq!(api.product(&product)["stock"], 500 - 2 * paid);
}

#[test]
fn what_is_paid_cannot_be_cancelled() {
    let api = Api::under_test();
    let (ada, product) = (unique("ada"), api.create_product(1));
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    until("the order to be paid", || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });
    let refused = cancel(&api, &ada, &placed);
    assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"));
    assert_eq!(api.product(&product)["stock"], 0);
}

#[test]
fn another_customers_order_cannot_be_cancelled() {
    let api = Api::under_test();
    let (ada, bob, product) = (unique("ada"), unique("bob"), api.create_product(1));
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    let refused = cancel(&api, &bob, &placed);
    assert_eq!((refused.status, refused.problem().as_str()), (404, "not-found"));
    assert_eq!(cancel(&api, "nobody", &placed).status, 404);
}
