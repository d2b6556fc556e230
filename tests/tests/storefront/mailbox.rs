//! Reads the e-mails that customers received.

use ferrite_aws_client::emulator::Email;
use ferrite_tests::api::{Api, Response};
use ferrite_tests::aws::Aws;
use ferrite_tests::poll;
use serde_json::json;

/// The subjects of the e-mails to `address`, in any order.
pub(crate) fn subjects(address: &str) -> Vec<String> {
    Aws::under_test().emails_to(address).into_iter().map(|email| email.subject).collect()
}

/// Waits for an e-mail to `address` whose subject contains `subject`.
pub(crate) fn wait_for(address: &str, subject: &str) -> Email {
    poll::wait_for(&format!("an e-mail with the subject {subject:?} to {address}"), || {
        Aws::under_test().emails_to(address).into_iter().find(|email| email.subject.contains(subject))
    })
}

/// Returns the token in a confirmation e-mail.
pub(crate) fn confirmation_token(email: &Email) -> String {
    let mut lines = email.text.lines().map(str::trim);
    let is_token = |line: &&str| line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    lines.find(is_token).expect("a confirmation e-mail contains a token").to_owned()
}

/// Sends a confirmation token.
pub(crate) fn confirm(api: &Api, customer: &str, token: &str) -> Response {
    api.customer(customer, "POST", "/me/email-confirmation").json(&json!({ "token": token })).send()
}

/// Registers a new customer, and confirms the address with the token in the welcome e-mail.
pub(crate) fn register_and_confirm(api: &Api, customer: &str, email: &str) {
    let registration = api.customer(customer, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    assert_eq!(registration.status, 201, "{}", registration.text());
    let confirmation = confirm(api, customer, &confirmation_token(&wait_for(email, "Welcome")));
    assert_eq!(confirmation.status, 200, "{}", confirmation.text());
}
