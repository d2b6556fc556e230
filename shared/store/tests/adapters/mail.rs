//! Contract tests of the mailer, which read the e-mail that the emulator stored.

use aws_sdk_ses::Client;
use aws_sdk_ses::types::ConfigurationSet;
use ferrite_aws::testing::emulator_config;
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::emulator::sent_emails;
use ferrite_aws_client::endpoint::Target;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_domain::contract::email::MailerUnderTest;
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage, Notification};
use ferrite_store::Mailer;

struct TestMailer(Mailer);

/// Creates a mailer with a unique sender address and configuration set.
async fn test_mailer() -> TestMailer {
    let client = Client::new(&emulator_config());
    let name = UniqueIds.new_id().to_string();
    let sender = format!("{name}@shop.example");
    client.verify_email_identity().email_address(&sender).send().await.expect("should verify the sender");
    let set = ConfigurationSet::builder().name(&name).build().expect("should have a name");
    client.create_configuration_set().configuration_set(set).send().await.expect("should create the configuration set");
    TestMailer(Mailer::new(&emulator_config(), sender.try_into().expect("should be a valid address"), name))
}

impl SendEmail for TestMailer {
    async fn send(&self, message: &EmailMessage) -> Result<(), SendEmailError> {
        self.0.send(message).await
    }
}

impl MailerUnderTest for TestMailer {
    async fn received(&self, address: &Email) -> Vec<Notification> {
        let target =
            Target::from_environment().expect("AWS_ENDPOINT_URL should be a URL").expect("AWS_ENDPOINT_URL should be set");
        let emails = sent_emails(&AwsClient::new(target)).expect("should read the e-mail from the emulator").into_iter();
        emails
            .filter(|email| email.to.iter().any(|to| to == address.expose()))
            .map(|email| Notification { subject: email.subject, text: email.text })
            .collect()
    }
}

ferrite_domain::mailer_contract!(test_mailer().await);
