//! SQS queue of a consumer and its dead-letter queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use ferrite_core::Reason;
use ferrite_core::ports::{DeadLetterQueue, MessageVisibility, PortError};

/// SQS dead-letter queue. The message attribute `reason` contains the reason.
///
/// The role needs `sqs:SendMessage` on the queue.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

impl DeadLetters {
    /// Uses the dead-letter queue with this URL.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, url: String) -> Self {
        Self { client: Client::new(config), url }
    }
}

impl DeadLetterQueue for DeadLetters {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), PortError> {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(Reason::from_lossy(reason))
            .build()
            .map_err(|error| PortError::new("SendMessage", error))?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_attributes("reason", reason)
            .send()
            .await
            .map_err(|error| PortError::new("SendMessage", error))?;
        Ok(())
    }
}

/// SQS queue of a consumer and its dead-letter queue.
///
/// The role needs `sqs:ChangeMessageVisibility` on the queue and `sqs:SendMessage` on the dead-letter queue.
#[derive(Debug, Clone)]
pub struct Queue {
    url: String,
    dead_letters: DeadLetters,
}

impl Queue {
    /// Uses the queue with the URL `url` and the dead-letter queue with the URL `dead_letter_url`.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, url: String, dead_letter_url: String) -> Self {
        Self { url, dead_letters: DeadLetters::new(config, dead_letter_url) }
    }
}

impl DeadLetterQueue for Queue {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), PortError> {
        self.dead_letters.reject(body, reason).await
    }
}

impl MessageVisibility for Queue {
    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), PortError> {
        self.dead_letters
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| PortError::new("ChangeMessageVisibility", error))?;
        Ok(())
    }
}
