//! Reads the e-mails that the functions sent.
//!
//! The emulator keeps them. AWS has no API to read them, so tests/skipped.toml must list the tests that do.

pub use ferrite_aws_client::emulator::Email;

use crate::aws::Aws;
use crate::poll;

/// The subjects of the e-mails to `address`, in any order.
#[must_use]
pub fn subjects(address: &str) -> Vec<String> {
    Aws::under_test().emails_to(address).into_iter().map(|email| email.subject).collect()
}

/// Waits for an e-mail to `address` whose subject contains `subject`.
pub fn wait_for(address: &str, subject: &str) -> Email {
    poll::wait_for(&format!("an e-mail with the subject {subject:?} to {address}"), || {
        Aws::under_test().emails_to(address).into_iter().find(|email| email.subject.contains(subject))
    })
}
