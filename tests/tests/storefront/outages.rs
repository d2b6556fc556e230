//! What waits for AWS, and how it goes on.
//!
//! An outage is a permission that is taken away for a while. Whatever other tests have under way meanwhile waits too.

use ferrite_aws::{IdempotencyTable, sdk_config};
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, Fingerprint, IdempotencyStore, StartResult};
use ferrite_domain::EmailDelivery;
use ferrite_tests::api::Api;
use ferrite_tests::aws::{Aws, Outage};
use ferrite_tests::poll::until;
use serde_json::json;

use crate::logs::lines_with;
use crate::messages::Queues;
use crate::{mailbox, unique};

/// Takes `action` away from a function, has `work` done that needs it, and gives it back once the function has said that it
/// is going to try again.
fn while_refused(api: &Api, function: &str, action: &str, work: impl FnOnce()) {
    let function = format!("{}-{function}", api.output("BusName"));
    let refused = || {
        let lines = lines_with("will be retried");
        lines.iter().filter(|(name, line)| *name == function && line.contains("not authorized")).count()
    };
    let before = refused();
    let _outage = Outage::of(Aws::under_test(), &function, action);
    work();
    until(&format!("{function} to be refused {action}"), || (refused() > before).then_some(()));
}

#[test]
fn an_email_that_ses_does_not_take_is_sent_once_it_does() {
    let (api, ada) = (Api::under_test(), unique("ada"));
    let email = format!("{ada}@example.com");
    while_refused(&api, "notify-customer", "ses:SendEmail", || {
        let registration = api.customer(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
        assert_eq!(registration.status, 201);
    });
    mailbox::wait_for(&email, "Welcome");
    assert_eq!(mailbox::subjects(&email).len(), 1);
}

#[test]
fn what_ses_has_sent_is_kept_as_soon_as_it_can_be() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let records = IdempotencyTable::new(&config, api.output("IdempotencyTableName").to_owned());
    let sending = EmailDelivery::new(unique("sending").replace('-', ""));
    let far: Timestamp = "2999-01-01T00:00:00Z".parse().unwrap();
    let attempt = Attempt {
        key: sending.key(),
        fingerprint: Fingerprint(sending.digest().to_owned()),
        now: "2026-11-22T22:00:00Z".parse().unwrap(),
        in_progress_until: far,
        expires_at: far,
    };
    assert!(matches!(runtime.block_on(records.start(&attempt)).unwrap(), StartResult::Acquired));

    while_refused(&api, "confirm-email", "dynamodb:UpdateItem", || {
        let sent = json!({
            "source": "aws.ses", "detail-type": "Email Sent",
            "detail": {"mail": {"tags": {EmailDelivery::MESSAGE_TAG: [sending.digest()]}}},
        });
        queues.send(api.output("ConfirmationsQueueUrl"), &sent.to_string());
    });
    until("the sending to be known as done", || {
        matches!(runtime.block_on(records.start(&attempt)).unwrap(), StartResult::Completed(_)).then_some(())
    });
}
