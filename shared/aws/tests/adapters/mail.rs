//! SES, and a look into MiniStack's mailboxes: AWS has no way to see what was sent.

use aws_sdk_ses::Client;
use aws_sdk_ses::types::ConfigurationSet;
use ferrite_aws::Mailer;
use ferrite_domain::contract::email::MailerUnderTest;
use ferrite_domain::memory::UniqueIds;
use ferrite_domain::ports::{NewIds, SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage, Notification};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::config;

struct Post(Mailer);

/// A sender of this test's own.
async fn post() -> Post {
    let (client, name) = (Client::new(&config()), UniqueIds.new_id().to_string());
    let sender = format!("{name}@shop.example");
    client.verify_email_identity().email_address(&sender).send().await.expect("the sender is verified");
    let set = ConfigurationSet::builder().name(&name).build().expect("it has a name");
    client.create_configuration_set().configuration_set(set).send().await.expect("the set is created");
    Post(Mailer::new(&config(), sender.try_into().expect("it is an address"), name))
}

impl SendEmail for Post {
    async fn send(&self, message: &EmailMessage) -> Result<(), SendEmailError> {
        self.0.send(message).await
    }
}

impl MailerUnderTest for Post {
    async fn received(&self, address: &Email) -> Vec<Notification> {
        let endpoint = config().endpoint_url().expect("it is set").to_owned();
        let url = format!("{endpoint}/_ministack/ses/messages").parse().expect("it is a URL");
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let answer = http.get(url).await.expect("MiniStack answers").into_body().collect().await.expect("it answers whole");
        let answer: Value = serde_json::from_slice(&answer.to_bytes()).expect("it answers in JSON");
        let accounts = answer["messages"].as_object().expect("they are by account").values();
        let messages = accounts.flat_map(|messages| messages.as_array().expect("it is a list"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        messages
            .filter(|message| message["To"][0] == address.expose())
            .map(|message| Notification { subject: text(&message["Subject"]), text: text(&message["BodyText"]) })
            .collect()
    }
}

ferrite_domain::mailer_contract!(post().await);
