//! Tests that work which fails during an outage of an AWS service is completed after it.
//!
//! An outage is simulated by denying a permission for a short time. It also delays the other tests that need the
//! permission.

use ferrite_aws::IdempotencyTable;
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, Fingerprint, IdempotencyStore, StartResult};
use ferrite_domain::EmailDelivery;
use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::{Aws, Outage};
use ferrite_test_harness::function_log::lines_of;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::Queues;
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::{mailbox, unique};
use ferrite_tests::storefront::Storefront;
use serde_json::json;

/// Denies `action` to a function, calls `work`, which must lead to a call of the action, and allows the action again
/// once the function has logged that it will retry.
fn while_denied(api: &Api, function: &str, action: &str, work: impl FnOnce()) {
    let function = api.function(function);
    let denied = || {
        let lines = lines_of(&function, "will be retried");
        lines.iter().filter(|line| line.text.contains("not authorized")).count()
    };
    let before = denied();
    let _outage = Outage::start(Aws::under_test(), &function, action);
    work();
    wait_for(&format!("{action} to be denied to {function}"), || (denied() > before).then_some(()));
}

#[test]
fn sends_an_email_after_an_ses_outage() {
    let api = Api::storefront();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    while_denied(&api, "notify-customer", "ses:SendEmail", || {
        let registration = api.as_user(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
        assert_eq!(registration.status, 201);
    });
    mailbox::wait_for(&email, "Welcome");
    assert_eq!(mailbox::subjects(&email).len(), 1);
}

#[test]
fn saves_a_bounce_after_a_dynamodb_outage() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let ada = unique("ada");
    let email = format!("{ada}@example.com");
    let registration = api.as_user(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    assert_eq!(registration.status, 201);
    while_denied(&api, "suppress-address", "dynamodb:PutItem", || {
        let mail = json!({"destination": [email], "tags": {EmailDelivery::MESSAGE_TAG: ["0"]}});
        let bounce = json!({"bounceType": "Permanent", "timestamp": "2026-11-22T22:00:00.000Z"});
        let bounced = json!({
            "source": "aws.ses", "detail-type": "Email Bounced",
            "detail": {"eventType": "Bounce", "mail": mail, "bounce": bounce},
        });
        queues.send(api.output("EmailFeedbackQueueUrl"), &bounced.to_string());
    });
    wait_for("the address to be bounced", || {
        let profile = api.as_user(&ada, "GET", "/me").send().json();
        (profile["emailStatus"] == "bounced").then_some(())
    });
}

#[test]
fn records_a_sent_email_after_a_dynamodb_outage() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let sdk = Sdk::under_test();
    let records = IdempotencyTable::new(sdk.config(), api.output("IdempotencyTableName").to_owned());
    let delivery = EmailDelivery::new(unique("delivery").replace('-', ""));
    let far_future: Timestamp = "2999-01-01T00:00:00Z".parse().unwrap();
    let attempt = Attempt {
        key: delivery.key(),
        fingerprint: Fingerprint(delivery.digest().to_owned()),
        now: "2026-11-22T22:00:00Z".parse().unwrap(),
        in_progress_until: far_future,
        expires_at: far_future,
    };
    assert!(matches!(sdk.block_on(records.start(&attempt)).unwrap(), StartResult::Acquired));

    while_denied(&api, "confirm-email", "dynamodb:UpdateItem", || {
        let sent = json!({
            "source": "aws.ses", "detail-type": "Email Sent",
            "detail": {"mail": {"tags": {EmailDelivery::MESSAGE_TAG: [delivery.digest()]}}},
        });
        queues.send(api.output("ConfirmationsQueueUrl"), &sent.to_string());
    });
    wait_for("the delivery to be recorded as completed", || {
        matches!(sdk.block_on(records.start(&attempt)).unwrap(), StartResult::Completed(_)).then_some(())
    });
}
