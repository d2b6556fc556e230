//! Confirms the e-mail addresses of customers.

use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::mailbox::{self, Email};
use serde_json::json;

/// Returns the token in a confirmation e-mail.
pub(crate) fn confirmation_token(email: &Email) -> String {
    let mut lines = email.text.lines().map(str::trim);
    let is_token = |line: &&str| line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    lines.find(is_token).expect("a confirmation e-mail contains a token").to_owned()
}

/// Sends a confirmation token.
pub(crate) fn confirm(api: &Api, customer: &str, token: &str) -> Response {
    api.as_user(customer, "POST", "/me/email-confirmation").json(&json!({ "token": token })).send()
}

/// Registers a new customer, and confirms the address with the token in the welcome e-mail.
pub(crate) fn register_and_confirm(api: &Api, customer: &str, email: &str) {
    let registration = api.as_user(customer, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    assert_eq!(registration.status, 201, "{}", registration.text());
    let confirmation = confirm(api, customer, &confirmation_token(&mailbox::wait_for(email, "Welcome")));
    assert_eq!(confirmation.status, 200, "{}", confirmation.text());
}
