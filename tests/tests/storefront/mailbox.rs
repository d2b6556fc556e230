//! What came to a customer by e-mail.

use ferrite_tests::aws::Aws;
use ferrite_tests::poll::until;

/// The subjects of the mails to `address`, in any order.
pub(crate) fn subjects(address: &str) -> Vec<String> {
    Aws::under_test().mails(address).into_iter().map(|mail| mail.subject).collect()
}

/// Waits until a mail to `address` is about `subject`.
pub(crate) fn wait_for(address: &str, subject: &str) {
    until(&format!("a mail about {subject:?} to {address}"), || {
        subjects(address).iter().any(|found| found.contains(subject)).then_some(())
    });
}
