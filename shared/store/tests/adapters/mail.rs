//! SES, and a look into the emulator's mailboxes.

use aws_sdk_ses::Client;
use aws_sdk_ses::types::ConfigurationSet;
use ferrite_aws::testing::emulator_config;
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::emulator::sent_mails;
use ferrite_aws_client::endpoint::Target;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use ferrite_domain::contract::email::MailerUnderTest;
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage, Notification};
use ferrite_store::Mailer;

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
        let target = Target::from_environment().expect("AWS_ENDPOINT_URL is an address").expect("./scripts/test sets it");
        let mails = sent_mails(&AwsClient::new(target)).expect("the emulator keeps the e-mails").into_iter();
        mails
            .filter(|mail| mail.to.iter().any(|to| to == address.expose()))
            .map(|mail| Notification { subject: mail.subject, text: mail.text })
            .collect()
    }
}

ferrite_domain::mailer_contract!(post().await);
