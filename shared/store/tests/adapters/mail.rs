//! SES, and a look into the emulator's mailboxes.

use aws_sdk_ses::Client;
use aws_sdk_ses::types::ConfigurationSet;
use ferrite_aws::testing::emulator_config;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use ferrite_domain::contract::email::MailerUnderTest;
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage, Notification};
use ferrite_store::Mailer;
use ferrite_tests::aws::Aws;

struct Post(Mailer);

/// A sender of this test's own.
async fn post() -> Post {
    let (client, name) = (Client::new(&emulator_config()), UniqueIds.new_id().to_string());
    let sender = format!("{name}@shop.example");
    client.verify_email_identity().email_address(&sender).send().await.expect("the sender is verified");
    let set = ConfigurationSet::builder().name(&name).build().expect("it has a name");
    client.create_configuration_set().configuration_set(set).send().await.expect("the set is created");
    Post(Mailer::new(&emulator_config(), sender.try_into().expect("it is an address"), name))
}

impl SendEmail for Post {
    async fn send(&self, message: &EmailMessage) -> Result<(), SendEmailError> {
        self.0.send(message).await
    }
}

impl MailerUnderTest for Post {
    async fn received(&self, address: &Email) -> Vec<Notification> {
        let mails = Aws::under_test().mails(address.expose()).into_iter();
        mails.map(|mail| Notification { subject: mail.subject, text: mail.text }).collect()
    }
}

ferrite_domain::mailer_contract!(post().await);
