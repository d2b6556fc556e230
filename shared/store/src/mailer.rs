//! E-mail delivery with Amazon SES.

use aws_sdk_ses::Client;
use aws_sdk_ses::config::Builder;
use aws_sdk_ses::config::retry::RetryConfig;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::operation::send_email::SendEmailError as SendEmailOperationError;
use aws_sdk_ses::types::{Body, Content, Destination, Message, MessageTag};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ferrite_aws::is_connect_error;
use ferrite_core::Reason;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailMessage};

const OPERATION: &str = "SendEmail";

/// Sends e-mail with the SES API v1 (2010-12-01), which all emulators support.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    sender: Email,
    configuration_set: String,
}

impl Mailer {
    /// Creates a mailer that sends from the address `sender`. The configuration set publishes delivery events for each
    /// message.
    pub fn new(config: &aws_types::SdkConfig, sender: Email, configuration_set: String) -> Self {
        // Disable retries: a message without a response may have been sent, and the SDK would send it again.
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
        send.send().await.map(drop).map_err(|error| port_error(error, &message.to, &self.sender))
    }
}

/// Maps an SES error to the port's error, which states whether the message was sent and whether its recipient was
/// rejected.
fn port_error(error: SdkError<SendEmailOperationError, HttpResponse>, to: &Email, from: &Email) -> SendEmailError {
    match error {
        SdkError::ServiceError(response) => {
            let status = response.raw().status().as_u16();
            let code = response.err().code().unwrap_or_default().to_owned();
            let message = response.err().message().unwrap_or_default().to_owned();
            // The SES error message may contain the customer's address, which must not be logged.
            let details = format!("{code}: {}", message.replace(to.expose(), "the recipient"));
            match status {
                _ if is_rejected_recipient(&code, &message, to, from) => {
                    SendEmailError::Rejected { reason: Reason::from_lossy(&details) }
                }
                // "Common Errors" describes this status as an unknown error, so the message may have been sent.
                500.. if status != 503 => SendEmailError::Unknown(PortError::new(OPERATION, details)),
                _ => SendEmailError::NotSent(PortError::new(OPERATION, details)),
            }
        }
        SdkError::ConstructionFailure(_) => SendEmailError::NotSent(PortError::new(OPERATION, error)),
        SdkError::DispatchFailure(ref failure) if failure.as_connector_error().is_some_and(is_connect_error) => {
            SendEmailError::NotSent(PortError::new(OPERATION, error))
        }
        _ => SendEmailError::Unknown(PortError::new(OPERATION, error)),
    }
}

/// Returns whether SES rejected the recipient's address and would accept another one.
///
/// The sender's address is well-formed, so a malformed address is the recipient's. In the SES sandbox, recipients must
/// be verified, and the error message lists all addresses that are not.
fn is_rejected_recipient(code: &str, message: &str, to: &Email, from: &Email) -> bool {
    match code {
        "InvalidParameterValue" => !message.starts_with("Invalid tag"),
        "MessageRejected" => message.contains(to.expose()) && !message.contains(from.expose()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ferrite_aws::testing::{MockServer, config_at, response};
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

    async fn send_with_error_response(status: u16, code: &str, message: &str) -> SendEmailError {
        let body = format!(
            "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        let server = MockServer::start(move |_| response(status, &body)).await;
        let error = send(server.address).await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "must not retry");
        error
    }

    #[tokio::test]
    async fn reports_a_rejected_recipient_without_the_address() {
        let unverified = "Email address is not verified. The following identities failed the check in region EU-WEST-1: ";
        for (code, message) in [
            ("InvalidParameterValue", "Local address contains dot-dot".to_owned()),
            ("MessageRejected", format!("{unverified}{TO}")),
        ] {
            let error = send_with_error_response(400, code, &message).await;
            let SendEmailError::Rejected { reason } = error else { panic!("{error:?}") };
            assert!(reason.as_str().starts_with(code) && !reason.as_str().contains(TO), "{reason}");
        }
        let error = send_with_error_response(400, "MessageRejected", &format!("{unverified}{FROM}, {TO}")).await;
        assert!(
            matches!(error, SendEmailError::NotSent(_)),
            "the sender is not verified either, so the recipient is not at fault"
        );
    }

    #[tokio::test]
    async fn reports_not_sent_for_definite_failures() {
        for (status, code) in
            [(400, "Throttling"), (400, "ConfigurationSetDoesNotExist"), (403, "AccessDenied"), (503, "ServiceUnavailable")]
        {
            let error = send_with_error_response(status, code, "no").await;
            assert!(matches!(error, SendEmailError::NotSent(_)), "{error:?}");
        }
        let invalid_tag = send_with_error_response(400, "InvalidParameterValue", "Invalid tag value &lt;a b&gt;").await;
        assert!(matches!(invalid_tag, SendEmailError::NotSent(_)), "{invalid_tag:?}");
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = send(closed).await.unwrap_err();
        assert!(matches!(error, SendEmailError::NotSent(_)), "{error:?}");
    }

    #[tokio::test]
    async fn reports_unknown_without_a_definite_response() {
        let server = MockServer::start(|_| None).await;
        let error = send(server.address).await.unwrap_err();
        assert!(matches!(error, SendEmailError::Unknown(_)), "{error:?}");
        assert_eq!(server.requests().len(), 1, "must not retry");
        let error = send_with_error_response(500, "InternalFailure", "unknown").await;
        assert!(matches!(error, SendEmailError::Unknown(_)), "{error:?}");
    }
}
