//! Operations on an SQS queue.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, SQS};
use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::check_interrupted;

use crate::dead_letter::DeadLetter;
use crate::error::RedriveError;

/// Maximum number of messages in one call to SQS.
const MAX_BATCH_SIZE: usize = 10;

/// An SQS queue.
pub(crate) struct Queue<'a> {
    aws: &'a AwsClient,
    url: &'a str,
}

impl<'a> Queue<'a> {
    /// Creates a client for the queue at `url`.
    pub(crate) fn new(aws: &'a AwsClient, url: &'a str) -> Self {
        Self { aws, url }
    }

    /// Returns the approximate number of messages in flight, which another reader has received.
    ///
    /// # Errors
    /// Returns an error if SQS does not respond or returns an error response.
    pub(crate) fn in_flight(&self) -> Result<u64, AwsError> {
        const NOT_VISIBLE: &str = "ApproximateNumberOfMessagesNotVisible";
        let response = self.call("GetQueueAttributes", &json!({"AttributeNames": [NOT_VISIBLE]}))?;
        Ok(response["Attributes"][NOT_VISIBLE].as_str().and_then(|count| count.parse().ok()).unwrap_or_default())
    }

    /// Receives all visible messages, and returns them with the oldest first.
    ///
    /// The messages are hidden from other readers for `visibility_timeout` seconds, or until [`Queue::make_visible`].
    /// Receiving has no other effect, because a dead-letter queue has no redrive policy.
    ///
    /// # Errors
    /// Returns an error if SQS does not respond or returns an error response. Messages that were already received
    /// become visible after the visibility timeout.
    pub(crate) fn receive_all(&self, visibility_timeout: u32) -> Result<Vec<DeadLetter>, RedriveError> {
        let request = json!({
            "MaxNumberOfMessages": MAX_BATCH_SIZE,
            "VisibilityTimeout": visibility_timeout,
            // Long polling queries all servers of the queue, so an empty response means that the queue is empty.
            "WaitTimeSeconds": 1,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut received: BTreeMap<String, DeadLetter> = BTreeMap::new();
        loop {
            check_interrupted()?;
            let known = received.len();
            let page = self.call("ReceiveMessage", &request)?;
            let messages = page["Messages"].as_array().into_iter().flatten().filter_map(DeadLetter::read);
            received.extend(messages.map(|message| (message.id.clone(), message)));
            if received.len() == known {
                break;
            }
        }
        let mut messages: Vec<DeadLetter> = received.into_values().collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.age()));
        Ok(messages)
    }

    /// Makes messages visible again. Errors are ignored, because the messages become visible after their visibility
    /// timeout.
    pub(crate) fn make_visible<'m>(&self, messages: impl Iterator<Item = &'m DeadLetter>) {
        let messages: Vec<&DeadLetter> = messages.collect();
        for batch in messages.chunks(MAX_BATCH_SIZE) {
            let entries: Vec<Value> = (0_u32..)
                .zip(batch)
                .map(|(index, message)| {
                    json!({"Id": index.to_string(), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": 0})
                })
                .collect();
            let _ = self.call("ChangeMessageVisibilityBatch", &json!({"Entries": entries}));
        }
    }

    /// Sends a message. `message` is a SendMessage request without the queue URL.
    ///
    /// # Errors
    /// Returns an error if SQS does not respond or returns an error response.
    pub(crate) fn send(&self, message: &Value) -> Result<(), AwsError> {
        self.call("SendMessage", message).map(drop)
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// Returns an error if SQS does not respond or returns an error response.
    pub(crate) fn delete(&self, message: &DeadLetter) -> Result<(), AwsError> {
        self.call("DeleteMessage", &json!({"ReceiptHandle": message.receipt_handle})).map(drop)
    }

    fn call(&self, operation: &str, request: &Value) -> Result<Value, AwsError> {
        let mut request = request.clone();
        request["QueueUrl"] = self.url.into();
        self.aws.json(SQS, operation, &request)
    }
}
