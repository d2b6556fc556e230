//! What emulators tell beyond AWS's own API, for assertions: the e-mails that were sent, and the messages in a queue.

use serde_json::Value;

use crate::client::AwsClient;
use crate::error::AwsError;

/// An e-mail that SES accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The addresses that it was sent to.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// A message in a queue, visible or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its body.
    pub body: String,
    /// Its message attributes, in SQS's JSON.
    pub attributes: Value,
}

/// Every e-mail that the emulator's SES accepted, of MiniStack or of LocalStack.
///
/// # Errors
/// When the emulator does not answer.
pub fn sent_mails(aws: &AwsClient) -> Result<Vec<Mail>, AwsError> {
    if let Some(localstack) = aws.get_page("/_aws/ses")? {
        return Ok(list(&localstack["messages"]).map(localstack_mail).collect());
    }
    let ministack = aws.get_page("/_ministack/ses/messages")?.unwrap_or_default();
    Ok(values(&ministack["messages"]).flat_map(list).map(ministack_mail).collect())
}

/// The messages in a queue of MiniStack, without receiving them.
///
/// # Errors
/// When the emulator does not answer.
pub fn queued_messages(aws: &AwsClient, queue_url: &str) -> Result<Vec<QueuedMessage>, AwsError> {
    let page = aws.get_page(&format!("/_ministack/sqs/messages?QueueUrl={queue_url}"))?.unwrap_or_default();
    let messages = values(&page["messages"]).flat_map(values).flat_map(values).flat_map(list);
    Ok(messages
        .map(|message| QueuedMessage { body: text(&message["Body"]), attributes: message["MessageAttributes"].clone() })
        .collect())
}

fn ministack_mail(mail: &Value) -> Mail {
    Mail { to: list(&mail["To"]).map(text).collect(), subject: text(&mail["Subject"]), text: text(&mail["BodyText"]) }
}

fn localstack_mail(mail: &Value) -> Mail {
    Mail {
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
