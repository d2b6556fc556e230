//! Contract of the store of feedback about e-mail addresses.

use std::time::Duration;

use ferrite_core::Timestamp;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use super::now;
use crate::ports::{GetEmailFeedback, SaveEmailFeedback};
use crate::{Email, EmailFeedback, FeedbackKind};

/// All ports of the store.
pub trait EmailFeedbackStore: GetEmailFeedback + SaveEmailFeedback {}

impl<S> EmailFeedbackStore for S where S: GetEmailFeedback + SaveEmailFeedback {}

/// Generates the contract tests for an [`EmailFeedbackStore`].
#[macro_export]
macro_rules! email_feedback_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::email_feedback, $adapter,
            returns_none_without_feedback
            returns_the_feedback_in_any_case_of_the_address
            keeps_the_first_feedback
            a_complaint_replaces_a_bounce
            a_complaint_applies_to_the_mailbox
        );
    };
}

fn address() -> Email {
    format!("{}@Example.com", UniqueIds.new_id()).try_into().unwrap()
}

fn bounce() -> EmailFeedback {
    EmailFeedback { kind: FeedbackKind::Bounce, reported_at: now() }
}

fn complaint() -> EmailFeedback {
    EmailFeedback { kind: FeedbackKind::Complaint, reported_at: later() }
}

fn later() -> Timestamp {
    now().plus(Duration::from_secs(60))
}

pub async fn returns_none_without_feedback(store: &impl EmailFeedbackStore) {
    assert_eq!(store.feedback(&address()).await.unwrap(), None);
}

pub async fn returns_the_feedback_in_any_case_of_the_address(store: &impl EmailFeedbackStore) {
    let address = address();
    store.save_feedback(&address, bounce()).await.unwrap();
    assert_eq!(store.feedback(&address).await.unwrap(), Some(bounce()));
    let lower_case = address.lower_case().try_into().unwrap();
    assert_eq!(store.feedback(&lower_case).await.unwrap(), Some(bounce()));
}

pub async fn keeps_the_first_feedback(store: &impl EmailFeedbackStore) {
    for (first, second) in [(bounce(), EmailFeedback { reported_at: later(), ..bounce() }), (complaint(), bounce())] {
        let address = address();
        for feedback in [first, second, first] {
            store.save_feedback(&address, feedback).await.unwrap();
        }
        assert_eq!(store.feedback(&address).await.unwrap(), Some(first));
    }
}

pub async fn a_complaint_replaces_a_bounce(store: &impl EmailFeedbackStore) {
    let address = address();
    for feedback in [bounce(), complaint(), bounce()] {
        store.save_feedback(&address, feedback).await.unwrap();
    }
    assert_eq!(store.feedback(&address).await.unwrap(), Some(complaint()));
}

pub async fn a_complaint_applies_to_the_mailbox(store: &impl EmailFeedbackStore) {
    for (feedback, about_mailbox) in [(complaint(), Some(complaint())), (bounce(), None)] {
        let user = UniqueIds.new_id();
        let [subaddress, mailbox, other] =
            ["+a", "", "+b"].map(|suffix| Email::try_from(format!("{user}{suffix}@example.com")).unwrap());
        store.save_feedback(&subaddress, feedback).await.unwrap();
        assert_eq!(store.feedback(&subaddress).await.unwrap(), Some(feedback));
        assert_eq!(store.feedback(&mailbox).await.unwrap(), about_mailbox);
        assert_eq!(store.feedback(&other).await.unwrap(), about_mailbox);
    }
}
