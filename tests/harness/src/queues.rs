//! Sends messages to the queues of the stack, and reads their dead letters.

use aws_sdk_sqs::Client;
pub use aws_sdk_sqs::types::Message;
use serde_json::{Value, json};

use crate::poll::wait_for;
use crate::sdk::Sdk;

/// A client of Amazon SQS.
#[derive(Debug)]
pub struct Queues {
    sdk: Sdk,
    client: Client,
}

impl Queues {
    /// The queues of the AWS endpoint under test.
    #[must_use]
    pub fn under_test() -> Self {
        let sdk = Sdk::under_test();
        Self { client: sdk.sqs(), sdk }
    }

    /// Sends a message to the queue at `url`, and returns its message id.
    #[allow(clippy::must_use_candidate, reason = "most tests need only the message")]
    pub fn send(&self, url: &str, body: &str) -> String {
        let sent = self.sdk.block_on(self.client.send_message().queue_url(url).message_body(body).send());
        let sent = sent.unwrap_or_else(|error| panic!("sending to {url}: {error:?}"));
        sent.message_id.unwrap_or_default()
    }

    /// Waits for a message whose body contains `text` in the queue at `url`, deletes it from the queue and returns it.
    pub fn find(&self, url: &str, text: &str) -> Message {
        wait_for(&format!("a message with {text} in {url}"), || {
            let receive = self.client.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(1);
            let received = self.sdk.block_on(receive.message_attribute_names("All").send());
            let received = received.unwrap_or_else(|error| panic!("receiving from {url}: {error:?}"));
            let mut messages = received.messages.unwrap_or_default().into_iter();
            let found = messages.find(|message| message.body().is_some_and(|body| body.contains(text)))?;
            let receipt = found.receipt_handle().unwrap_or_default();
            let deleted = self.sdk.block_on(self.client.delete_message().queue_url(url).receipt_handle(receipt).send());
            deleted.unwrap_or_else(|error| panic!("deleting from {url}: {error:?}"));
            Some(found)
        })
    }
}

/// Returns an event with a batch of messages, as Lambda passes it to a function. The ids of the messages are their
/// positions. The receipt handles are not valid, so the messages are not in a queue.
#[must_use]
pub fn batch(bodies: impl IntoIterator<Item = String>) -> Value {
    let message = |(position, body): (usize, String)| {
        let attributes = json!({"ApproximateReceiveCount": "1"});
        json!({
            "messageId": position.to_string(), "receiptHandle": "none", "body": body, "attributes": attributes,
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:none",
        })
    };
    json!({ "Records": bodies.into_iter().enumerate().map(message).collect::<Vec<_>>() })
}

/// The `reason` attribute that the functions add to a dead letter; empty if it has none.
#[must_use]
pub fn reason(message: &Message) -> &str {
    message.message_attributes().and_then(|all| all.get("reason")?.string_value()).unwrap_or_default()
}
