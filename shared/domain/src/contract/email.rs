//! Contract of the mailer.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use crate::ports::SendEmail;
use crate::{Email, EmailMessage, Notification};

/// A [`SendEmail`] whose sent e-mails a test can read.
pub trait MailerUnderTest: SendEmail {
    /// Returns the e-mails sent to an address, in any order.
    fn received(&self, address: &Email) -> impl Future<Output = Vec<Notification>> + Send;
}

/// Generates the contract tests for a [`MailerUnderTest`].
#[macro_export]
macro_rules! mailer_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::email, $adapter,
            delivers_a_message_unchanged_to_its_address
            delivers_a_message_once_per_call
        );
    };
}

fn message(text: &str) -> EmailMessage {
    let recipient = UniqueIds.new_id().to_string();
    EmailMessage {
        message_tags: vec![("recipient", recipient.replace('-', "_"))],
        to: Email::try_from(format!("{recipient}@example.com")).unwrap(),
        notification: Notification { subject: "Grüße: 茶 & “tea”".to_owned(), text: text.to_owned() },
    }
}

pub async fn delivers_a_message_unchanged_to_its_address(mailer: &impl MailerUnderTest) {
    let one = message("Hello Ærø,\n\n1 + 1 < 3 & more.\n");
    let other = message("Hello,\n\nanother.\n");
    mailer.send(&one).await.unwrap();
    mailer.send(&other).await.unwrap();
    assert_eq!(mailer.received(&one.to).await, [one.notification]);
}

pub async fn delivers_a_message_once_per_call(mailer: &impl MailerUnderTest) {
    let message = message("Hello again.\n");
    for _ in 0..2 {
        mailer.send(&message).await.unwrap();
    }
    assert_eq!(mailer.received(&message.to).await.len(), 2);
}
