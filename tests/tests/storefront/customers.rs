//! Tests of customer registration, and of the confirmation and the limits of e-mail.

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::cleanup::record_partition;
use ferrite_test_harness::function_log::lines_with;
use ferrite_test_harness::mailbox;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use ferrite_tests::storefront::{feedback_partition, mailbox_partition};
use serde_json::json;

use crate::email_confirmation::{confirm, confirmation_token, register_and_confirm};

fn register(api: &Api, customer: &str, email: &str) -> Response {
    api.as_user(customer, "PUT", "/me").json(&json!({"email": email, "name": "Win $500 at http://shop.example"})).send()
}

fn profile(api: &Api, customer: &str) -> Response {
    api.as_user(customer, "GET", "/me").send()
}

/// Places an order of a customer and waits until it is paid. Returns its id.
fn paid_order(api: &Api, customer: &str, product: &str, key: &str) -> String {
    let placed = api.place_order(customer, key, product, 1, "tok_success");
    wait_for("the order to be paid", || {
        let order = api.as_user(customer, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then(|| order["id"].as_str().unwrap().to_owned())
    })
}

/// The ids of the events about which notify-customer sent no e-mail, for the reason that is the key in its log.
fn events_without_email(reason: &str) -> Vec<String> {
    let lines = lines_with(reason).into_iter().map(|line| line.json());
    let events = lines.flat_map(|line| line[reason].as_array().cloned().unwrap_or_default());
    events.map(|event| event["event_id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Waits until notify-customer has logged that it did not send the e-mail about a change of `entity`.
fn wait_until_not_sent(reason: &str, entity: &str) {
    wait_for(&format!("notify-customer to log {reason} for {entity}"), || {
        events_without_email(reason).iter().any(|event| event.starts_with(entity)).then_some(())
    });
}

#[test]
fn sends_one_welcome_email_per_customer() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    assert_eq!(profile(&api, &ada).status, 404);
    let first = register(&api, &ada, &email);
    assert_eq!((first.status, &first.json()["id"], &first.json()["email"]), (201, &json!(ada), &json!(email)));
    assert_eq!(register(&api, &ada, &email).status, 200);
    mailbox::wait_for(&email, "Welcome");
    assert_eq!(profile(&api, &ada).json(), first.json());

    // The next e-mail goes to the new address. If the second registration had caused an e-mail, it would have arrived
    // before.
    let other = format!("{ada}@example.org");
    let changed = register(&api, &ada, &other);
    assert_eq!((changed.status, &changed.json()["email"]), (200, &json!(other)));
    mailbox::wait_for(&other, "Confirm your e-mail address");
    assert_eq!((mailbox::subjects(&email).len(), mailbox::subjects(&other).len()), (1, 1));
}

/// OpenID Connect Core, section 2, limits `sub` to 255 characters.
#[test]
fn accepts_a_subject_with_255_characters() {
    let api = Api::storefront();
    let ada = unique("ada");
    let longest = format!("{ada}{}", "x".repeat(255 - ada.len()));
    let email = format!("{ada}@example.com");
    register_and_confirm(&api, &longest, &email);
    assert_eq!(profile(&api, &longest).json()["id"], json!(longest));
    api.place_order(&longest, &"k".repeat(255), &api.create_product(1), 1, "tok_success");
    mailbox::wait_for(&email, "has been paid");
    assert_eq!(register(&api, &format!("{longest}x"), &email).status, 401);
}

#[test]
fn an_unconfirmed_address_receives_no_text_that_the_customer_chose() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    assert_eq!(register(&api, &ada, &email).json()["emailStatus"], "unconfirmed");
    let product = api.create_product(2);
    let order = paid_order(&api, &ada, &product, "1");
    wait_until_not_sent("no_email_due", &order);
    let welcome = mailbox::wait_for(&email, "Welcome");
    assert!(!format!("{} {}", welcome.subject, welcome.text).contains("$500"), "{}", welcome.text);

    assert_eq!(confirm(&api, &ada, &confirmation_token(&welcome)).json()["emailStatus"], "confirmed");
    paid_order(&api, &ada, &product, "2");
    let receipt = mailbox::wait_for(&email, "has been paid");
    assert!(receipt.text.contains("$500"), "{}", receipt.text);
    assert_eq!(mailbox::subjects(&email).len(), 2, "the first order caused no e-mail");
}

#[test]
fn confirms_an_address_only_with_the_token_that_was_sent_to_it() {
    let api = Api::storefront();
    let [ada, bob] = [unique("ada"), unique("bob")];
    let [email, bobs_email] = [&ada, &bob].map(|name| format!("{name}@example.com"));
    for (customer, email) in [(&ada, &email), (&bob, &bobs_email)] {
        assert_eq!(register(&api, customer, email).status, 201);
    }
    let token = confirmation_token(&mailbox::wait_for(&email, "Welcome"));
    let bobs_token = confirmation_token(&mailbox::wait_for(&bobs_email, "Welcome"));
    for token in [&bobs_token, &"0".repeat(32), &"nonsense".to_owned()] {
        let rejected = confirm(&api, &ada, token);
        assert_eq!((rejected.status, rejected.invalid_fields()), (422, vec!["token".to_owned()]), "{token}");
    }
    assert_eq!(confirm(&api, &unique("nobody"), &token).status, 404);

    let confirmed = confirm(&api, &ada, &token);
    assert_eq!((confirmed.status, &confirmed.json()["emailStatus"]), (200, &json!("confirmed")));
    assert_eq!(confirm(&api, &ada, &token).json(), confirmed.json(), "a repeated request");
    assert_eq!(profile(&api, &ada).json(), confirmed.json());

    let changed = register(&api, &ada, &format!("{ada}@example.org"));
    assert_eq!(changed.json()["emailStatus"], "unconfirmed");
    assert_eq!(confirm(&api, &ada, &token).status, 422, "the token was for the previous address");
}

#[test]
fn limits_the_confirmation_emails_to_a_mailbox() {
    let api = Api::storefront();
    let victim = unique("victim");
    let address = |number: usize| format!("{victim}+{number}@example.com");
    let customers: Vec<_> = (0..8).map(|_| unique("eve")).collect();
    for (number, customer) in customers.iter().enumerate() {
        assert_eq!(register(&api, customer, &address(number)).status, 201);
    }
    let sent = || (0..8).map(|number| mailbox::subjects(&address(number)).len()).sum::<usize>();
    let over_limit = || {
        let events = events_without_email("over_limit");
        customers.iter().filter(|customer| events.contains(&format!("{customer}:1"))).count()
    };
    wait_for("each e-mail to be sent or not", || (sent() + over_limit() == 8).then_some(()));
    // The limit is three. If a clock hour ends during the test, it is six.
    assert!((3..=6).contains(&sent()), "{}", sent());
}

/// Records what the storefront saves about an address of a mailbox of the SES simulator.
fn record_simulator(mailbox: &str, email: &str) {
    let mailbox = format!("{mailbox}@simulator.amazonses.com");
    for partition in [feedback_partition(email), feedback_partition(&mailbox), mailbox_partition(&mailbox)] {
        record_partition(&partition);
    }
}

#[test]
fn reports_a_bounce_and_a_complaint_in_the_profile() {
    let api = Api::storefront();
    for (kind, status) in [("bounce", "bounced"), ("complaint", "complained")] {
        let ada = unique("ada");
        // The mailbox simulator of SES. The label makes the address unique.
        let email = format!("{kind}+{ada}@simulator.amazonses.com");
        record_simulator(kind, &email);
        assert_eq!(register(&api, &ada, &email).status, 201);
        wait_for(&format!("the address to be {status}"), || {
            (profile(&api, &ada).json()["emailStatus"] == status).then_some(())
        });
        assert_eq!(register(&api, &ada, &email).json()["emailStatus"], status);
    }
}

#[test]
fn sends_no_email_after_a_bounce() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("bounce+{ada}@simulator.amazonses.com");
    record_simulator("bounce", &email);
    register_and_confirm(&api, &ada, &email);
    wait_for("the address to be bounced", || (profile(&api, &ada).json()["emailStatus"] == "bounced").then_some(()));
    let order = paid_order(&api, &ada, &api.create_product(1), "1");
    wait_until_not_sent("suppressed", &order);
    assert_eq!(mailbox::subjects(&email).len(), 1);
}

#[test]
fn rejects_invalid_registrations() {
    let api = Api::storefront();
    let ada = unique("ada");
    for email in ["ada", ".a@x.example", "a.@x.example", "a..b@x.example", "a@-x.example", "a@x-.example"] {
        let rejected = register(&api, &ada, email);
        assert_eq!((rejected.status, rejected.invalid_fields()), (422, vec!["email".to_owned()]), "{email}");
    }
    assert_eq!(api.request("PUT", "/me").json(&json!({})).send().status, 401);
}

/// Earlier versions accepted addresses that SES rejects. Their profiles must stay readable.
#[test]
fn records_the_reason_when_ses_rejects_an_address() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("{ada}..b@example.com");
    let sdk = Sdk::under_test();
    let client = sdk.dynamodb();
    let rejections = || {
        let scan = client.scan().table_name(api.output("IdempotencyTableName"));
        let scan = scan.filter_expression("contains(#data, :reason)").expression_attribute_names("#data", "data");
        let scan = scan.expression_attribute_values(":reason", AttributeValue::S("dot-dot".to_owned()));
        sdk.block_on(scan.send()).unwrap().count()
    };
    // Earlier runs may have left records of rejections.
    let before = rejections();
    record_partition(&format!("CUSTOMER#{ada}"));
    let now = "9998-01-01T00:00:00.000Z".to_owned();
    let attributes = [
        ("pk", format!("CUSTOMER#{ada}")),
        ("sk", "PROFILE".to_owned()),
        ("customerId", ada.clone()),
        ("email", email.clone()),
        ("confirmationToken", "0".repeat(32)),
        ("confirmationRequestedAt", now.clone()),
        ("name", "Ada".to_owned()),
        ("createdAt", now.clone()),
        ("updatedAt", now),
    ];
    let put = client.put_item().table_name(api.output("TableName")).item("version", AttributeValue::N("1".to_owned()));
    let put = attributes.into_iter().fold(put, |put, (name, value)| put.item(name, AttributeValue::S(value)));
    sdk.block_on(put.send()).unwrap();
    wait_for("the rejection to be recorded", || (rejections() == before + 1).then_some(()));
    assert_eq!(mailbox::subjects(&email), Vec::<String>::new());
    assert_eq!(profile(&api, &ada).json()["email"], email);
}
