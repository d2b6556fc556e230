//! A consumer's SQS queue and its dead-letter queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use ferrite_domain::Reason;
use ferrite_domain::ports::{StoreError, WorkQueue};

/// A queue that messages come from, and the one beside it for those that cannot be handled.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: Option<String>,
    dead_letter_url: String,
}

impl Queue {
    /// The queue at `url`, with the dead-letter queue at `dead_letter_url`.
    pub fn new(config: &aws_types::SdkConfig, url: String, dead_letter_url: String) -> Self {
        Self { client: Client::new(config), url: Some(url), dead_letter_url }
    }

    /// The dead-letter queue at `dead_letter_url` alone, for what does not come from a queue.
    pub fn dead_letters(config: &aws_types::SdkConfig, dead_letter_url: String) -> Self {
        Self { client: Client::new(config), url: None, dead_letter_url }
    }
}

impl WorkQueue for Queue {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), StoreError> {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(Reason::from_lossy(reason))
            .build()
            .map_err(|error| StoreError::new("SendMessage", error))?;
        self.client
            .send_message()
            .queue_url(&self.dead_letter_url)
            .message_body(body)
            .message_attributes("reason", reason)
            .send()
            .await
            .map_err(|error| StoreError::new("SendMessage", error))?;
        Ok(())
    }

    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), StoreError> {
        let Some(url) = &self.url else { return Ok(()) };
        self.client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| StoreError::new("ChangeMessageVisibility", error))?;
        Ok(())
    }
}
