//! Emulator endpoints that AWS does not have, for assertions in tests: the e-mails that were sent and the messages in a
//! queue.

use serde_json::Value;

use crate::client::AwsClient;
use crate::error::AwsError;

/// An e-mail that the emulator's SES accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Recipient addresses.
    pub to: Vec<String>,
    /// Subject line.
    pub subject: String,
    /// Plain-text body.
    pub text: String,
}

/// A message in a queue, whether it is visible or in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Message body.
    pub body: String,
    /// Message attributes, in the JSON format of the SQS API.
    pub attributes: Value,
}

/// Returns all e-mails that SES of the emulator (MiniStack or LocalStack) accepted.
///
/// # Errors
/// Returns an error if the emulator does not respond or the response is not valid JSON.
pub fn sent_emails(aws: &AwsClient) -> Result<Vec<Email>, AwsError> {
    if let Some(localstack) = aws.get_unsigned("/_aws/ses")? {
        return Ok(list(&localstack["messages"]).map(localstack_mail).collect());
    }
    let ministack = aws.get_unsigned("/_ministack/ses/messages")?.unwrap_or_default();
    Ok(values(&ministack["messages"]).flat_map(list).map(ministack_mail).collect())
}

/// Returns the messages in a queue of MiniStack without receiving them.
///
/// # Errors
/// Returns an error if the emulator does not respond or the response is not valid JSON.
pub fn queued_messages(aws: &AwsClient, queue_url: &str) -> Result<Vec<QueuedMessage>, AwsError> {
    let response = aws.get_unsigned(&format!("/_ministack/sqs/messages?QueueUrl={queue_url}"))?.unwrap_or_default();
    let messages = values(&response["messages"]).flat_map(values).flat_map(values).flat_map(list);
    Ok(messages
        .map(|message| QueuedMessage { body: text(&message["Body"]), attributes: message["MessageAttributes"].clone() })
        .collect())
}

fn ministack_mail(mail: &Value) -> Email {
    Email { to: list(&mail["To"]).map(text).collect(), subject: text(&mail["Subject"]), text: text(&mail["BodyText"]) }
}

fn localstack_mail(mail: &Value) -> Email {
    Email {
        to: list(&mail["Destination"]["ToAddresses"]).map(text).collect(),
        subject: text(&mail["Subject"]),
        text: text(&mail["Body"]["text_part"]),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn values(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(|members| members.values())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
