//! E-mail through Amazon SES.

use aws_sdk_ses::Client;
use aws_sdk_ses::config::Builder;
use aws_sdk_ses::config::retry::RetryConfig;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::operation::send_email::SendEmailError as Refused;
use aws_sdk_ses::types::{Body, Content, Destination, Message, MessageTag};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ferrite_aws::never_connected;
use ferrite_core::Reason;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage};

const OPERATION: &str = "SendEmail";

/// Sends e-mail through SES's API of 2010, the one that every emulator has.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    sender: Email,
    configuration_set: String,
}

impl Mailer {
    /// Sends from `sender`, under the configuration set that has SES tell what became of each message.
    pub fn new(config: &aws_types::SdkConfig, sender: Email, configuration_set: String) -> Self {
        // What went without an answer may have been sent, and the SDK would send it again.
        let config = Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), sender, configuration_set }
    }
}

impl SendEmail for Mailer {
    async fn send(&self, message: &EmailMessage) -> Result<(), SendEmailError> {
        let content = |text: &str| {
            let content = Content::builder().charset("UTF-8").data(text).build();
            content.map_err(|error| SendEmailError::NotSent(PortError::new(OPERATION, error)))
        };
        let body = Body::builder().text(content(&message.notification.text)?).build();
        let mut send = self
            .client
            .send_email()
            .source(self.sender.expose())
            .destination(Destination::builder().to_addresses(message.to.expose()).build())
            .message(Message::builder().subject(content(&message.notification.subject)?).body(body).build())
            .configuration_set_name(&self.configuration_set);
        for (name, value) in &message.message_tags {
            let tag = MessageTag::builder().name(*name).value(value).build();
            send = send.tags(tag.map_err(|error| SendEmailError::NotSent(PortError::new(OPERATION, error)))?);
        }
        send.send().await.map(drop).map_err(|error| understood(error, &message.to, &self.sender))
    }
}

/// Whether it was sent, and whose fault it is that it was not.
fn understood(error: SdkError<Refused, HttpResponse>, to: &Email, from: &Email) -> SendEmailError {
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or_default().to_owned();
            let message = answer.err().message().unwrap_or_default().to_owned();
            // What SES says may name the customer, whom a log must not.
            let said = format!("{code}: {}", message.replace(to.expose(), "the recipient"));
            match status {
                _ if is_about_recipient(&code, &message, to, from) => {
                    SendEmailError::Rejected { reason: Reason::from_lossy(&said) }
                }
                // As "Common Errors" has it, "due to an unknown error": nothing says that it was not sent.
                500.. if status != 503 => SendEmailError::Unknown(PortError::new(OPERATION, said)),
                _ => SendEmailError::NotSent(PortError::new(OPERATION, said)),
            }
        }
        SdkError::ConstructionFailure(_) => SendEmailError::NotSent(PortError::new(OPERATION, error)),
        SdkError::DispatchFailure(ref failure) if failure.as_connector_error().is_some_and(never_connected) => {
            SendEmailError::NotSent(PortError::new(OPERATION, error))
        }
        _ => SendEmailError::Unknown(PortError::new(OPERATION, error)),
    }
}

/// Whether SES refuses this address and would take another. The sender's has the form of one, so a malformed address is the
/// recipient's; of those that are not verified, which in SES's sandbox recipients have to be, the message names each.
fn is_about_recipient(code: &str, message: &str, to: &Email, from: &Email) -> bool {
    match code {
        "InvalidParameterValue" => !message.starts_with("Invalid tag"),
        "MessageRejected" => message.contains(to.expose()) && !message.contains(from.expose()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ferrite_aws::testing::{Server, answer, config_at};
    use ferrite_domain::Notification;
    use tokio::net::TcpListener;

    use super::*;

    const TO: &str = "ada@example.com";
    const FROM: &str = "shop@example.com";

    async fn send(address: SocketAddr) -> Result<(), SendEmailError> {
        let notification = Notification { subject: "Hello".to_owned(), text: "Hello.\n".to_owned() };
        let to = TO.to_owned().try_into().unwrap();
        let message = EmailMessage { message_tags: vec![("record", "1".to_owned())], to, notification };
        let sender = FROM.to_owned().try_into().unwrap();
        Mailer::new(&config_at(address), sender, "mail".to_owned()).send(&message).await
    }

    async fn answered(status: u16, code: &str, message: &str) -> SendEmailError {
        let body = format!(
            "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        let server = Server::start(move |_| answer(status, &body)).await;
        let error = send(server.address).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "sent once, whatever is answered");
        error
    }

    #[tokio::test]
    async fn an_address_that_ses_refuses_is_rejected_with_the_reason_and_without_the_address() {
        let unverified = "Email address is not verified. The following identities failed the check in region EU-WEST-1: ";
        for (code, message) in [
            ("InvalidParameterValue", "Local address contains dot-dot".to_owned()),
            ("MessageRejected", format!("{unverified}{TO}")),
        ] {
            let error = answered(400, code, &message).await;
            let SendEmailError::Rejected { reason } = error else { panic!("{error:?}") };
            assert!(reason.as_str().starts_with(code) && !reason.as_str().contains(TO), "{reason}");
        }
        let error = answered(400, "MessageRejected", &format!("{unverified}{FROM}, {TO}")).await;
        assert!(matches!(error, SendEmailError::NotSent(_)), "the sender is to be put right, and then all can be sent");
    }

    #[tokio::test]
    async fn what_ses_says_no_to_was_not_sent() {
        for (status, code) in
            [(400, "Throttling"), (400, "ConfigurationSetDoesNotExist"), (403, "AccessDenied"), (503, "ServiceUnavailable")]
        {
            let error = answered(status, code, "no").await;
            assert!(matches!(error, SendEmailError::NotSent(_)), "{error:?}");
        }
        let mistake_of_ours = answered(400, "InvalidParameterValue", "Invalid tag value &lt;a b&gt;").await;
        assert!(matches!(mistake_of_ours, SendEmailError::NotSent(_)), "{mistake_of_ours:?}");
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = send(closed).await.unwrap_err();
        assert!(matches!(error, SendEmailError::NotSent(_)), "{error:?}");
    }

    #[tokio::test]
    async fn what_went_without_an_answer_may_have_been_sent() {
        let server = Server::start(|_| None).await;
        let error = send(server.address).await.unwrap_err();
        assert!(matches!(error, SendEmailError::Unknown(_)), "{error:?}");
        assert_eq!(server.seen().len(), 1, "not sent a second time");
        let error = answered(500, "InternalFailure", "unknown").await;
        assert!(matches!(error, SendEmailError::Unknown(_)), "{error:?}");
    }
}
