//! Reads the e-mails that customers received.

use ferrite_tests::aws::Aws;
use ferrite_tests::poll;

/// The subjects of the e-mails to `address`, in any order.
pub(crate) fn subjects(address: &str) -> Vec<String> {
    Aws::under_test().emails_to(address).into_iter().map(|email| email.subject).collect()
}

/// Waits for an e-mail to `address` whose subject contains `subject`.
pub(crate) fn wait_for(address: &str, subject: &str) {
    poll::wait_for(&format!("an e-mail with the subject {subject:?} to {address}"), || {
        subjects(address).iter().any(|found| found.contains(subject)).then_some(())
    });
}
