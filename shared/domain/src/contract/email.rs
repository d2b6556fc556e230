//! EmailDelivery e-mail.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;

use crate::ports::SendEmail;
use crate::{Email, EmailMessage, Notification};

/// A [`SendEmail`] whose other end a test can reach.
pub trait MailerUnderTest: SendEmail {
    /// What has come to an address, in any order.
    fn received(&self, address: &Email) -> impl Future<Output = Vec<Notification>> + Send;
}

/// Tests of a [`MailerUnderTest`].
#[macro_export]
macro_rules! mailer_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::email, $open,
            a_message_comes_to_its_address_as_it_was_sent
            what_is_sent_twice_comes_twice
        );
    };
}

fn message(text: &str) -> EmailMessage {
    let reader = UniqueIds.new_id().to_string();
    EmailMessage {
        message_tags: vec![("reader", reader.replace('-', "_"))],
        to: Email::try_from(format!("{reader}@example.com")).unwrap(),
        notification: Notification { subject: "Grüße: 茶 & “tea”".to_owned(), text: text.to_owned() },
    }
}

pub async fn a_message_comes_to_its_address_as_it_was_sent(mailer: &impl MailerUnderTest) {
    let (one, other) = (message("Hello Ærø,\n\n1 + 1 < 3 & more.\n"), message("Hello,\n\nanother.\n"));
    mailer.send(&one).await.unwrap();
    mailer.send(&other).await.unwrap();
    assert_eq!(mailer.received(&one.to).await, [one.notification]);
}

pub async fn what_is_sent_twice_comes_twice(mailer: &impl MailerUnderTest) {
    let message = message("Hello again.\n");
    for _ in 0..2 {
        mailer.send(&message).await.unwrap();
    }
    assert_eq!(mailer.received(&message.to).await.len(), 2);
}
