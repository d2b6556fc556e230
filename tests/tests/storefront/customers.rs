//! Tests of customer registration and of the welcome e-mail.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_aws::sdk_config;
use ferrite_tests::api::{Api, Response};
use ferrite_tests::poll::wait_for;
use serde_json::json;

use crate::{mailbox, unique};

fn register(api: &Api, customer: &str, email: &str) -> Response {
    api.customer(customer, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send()
}

#[test]
fn sends_one_welcome_email_per_customer() {
    let api = Api::under_test();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    let other = format!("{ada}@example.org");
    let first = register(&api, &ada, &email);
    assert_eq!((first.status, &first.json()["id"], &first.json()["email"]), (201, &json!(ada), &json!(email)));
    assert_eq!(register(&api, &ada, &email).status, 200);
    mailbox::wait_for(&email, "Welcome");

    let changed = register(&api, &ada, &other);
    assert_eq!((changed.status, &changed.json()["email"]), (200, &json!(other)));
    // The next e-mail goes to the new address. If the change had caused another welcome e-mail, it would have arrived
    // before.
    let product = api.create_product(1);
    api.place_order(&ada, "k", &product, 1, "tok_success");
    mailbox::wait_for(&other, "has been paid");
    assert_eq!((mailbox::subjects(&email).len(), mailbox::subjects(&other).len()), (1, 1));
}

#[test]
fn rejects_invalid_registrations() {
    let api = Api::under_test();
    let ada = unique("ada");
    let rejected = register(&api, &ada, "ada");
    assert_eq!((rejected.status, rejected.invalid_fields()), (422, vec!["email".to_owned()]));
    assert_eq!(api.request("PUT", "/me").json(&json!({})).send().status, 401);
}

#[test]
fn records_the_reason_when_ses_rejects_an_address() {
    let api = Api::under_test();
    let ada = unique("ada");
    let email = format!("{ada}..b@example.com");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&sdk_config().expect("./scripts/test sets the AWS_* variables"));
    let rejections = || {
        let scan = client.scan().table_name(api.output("IdempotencyTableName"));
        let scan = scan.filter_expression("contains(#data, :reason)").expression_attribute_names("#data", "data");
        let scan = scan.expression_attribute_values(":reason", AttributeValue::S("dot-dot".to_owned()));
        runtime.block_on(scan.send()).unwrap().count()
    };
    // Earlier runs may have left records of rejections.
    let before = rejections();
    assert_eq!(register(&api, &ada, &email).status, 201);
    wait_for("the rejection to be recorded", || (rejections() == before + 1).then_some(()));
    assert_eq!(mailbox::subjects(&email), Vec::<String>::new());
}
