//! Reads and changes a queue.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, SQS};
use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::check_interrupted;

use crate::dead_letter::DeadLetter;
use crate::error::RedriveError;

/// The most messages that one call takes.
const PAGE: usize = 10;

/// A queue by its URL.
pub(crate) struct Queue<'a> {
    aws: &'a AwsClient,
    url: &'a str,
}

impl<'a> Queue<'a> {
    /// The queue at `url`.
    pub(crate) fn new(aws: &'a AwsClient, url: &'a str) -> Self {
        Self { aws, url }
    }

    /// How many messages are hidden, because another reader has received them.
    ///
    /// # Errors
    /// When SQS does not answer or rejects the call.
    pub(crate) fn hidden(&self) -> Result<u64, AwsError> {
        const HIDDEN: &str = "ApproximateNumberOfMessagesNotVisible";
        let answer = self.call("GetQueueAttributes", &json!({"AttributeNames": [HIDDEN]}))?;
        Ok(answer["Attributes"][HIDDEN].as_str().and_then(|count| count.parse().ok()).unwrap_or_default())
    }

    /// Every visible message, the oldest first. They are hidden from other readers for `seconds`, or until [`Queue::show`].
    /// Receiving has no other effect, because a dead-letter queue has no redrive policy of its own.
    ///
    /// # Errors
    /// When SQS does not answer or rejects the call. Messages received by then are visible again after `seconds`.
    pub(crate) fn receive_all(&self, seconds: u32) -> Result<Vec<DeadLetter>, RedriveError> {
        let request = json!({
            "MaxNumberOfMessages": PAGE,
            "VisibilityTimeout": seconds,
            // A long poll asks all servers of the queue, so an empty response means an empty queue.
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

    /// Makes messages visible again. Errors are ignored, because the messages become visible by themselves.
    pub(crate) fn show<'m>(&self, messages: impl Iterator<Item = &'m DeadLetter>) {
        let messages: Vec<&DeadLetter> = messages.collect();
        for page in messages.chunks(PAGE) {
            let entries: Vec<Value> = (0_u32..)
                .zip(page)
                .map(|(at, message)| {
                    json!({"Id": at.to_string(), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": 0})
                })
                .collect();
            let _ = self.call("ChangeMessageVisibilityBatch", &json!({"Entries": entries}));
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When SQS does not answer or rejects the call.
    pub(crate) fn send(&self, message: &Value) -> Result<(), AwsError> {
        self.call("SendMessage", message).map(drop)
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// When SQS does not answer or rejects the call.
    pub(crate) fn delete(&self, message: &DeadLetter) -> Result<(), AwsError> {
        self.call("DeleteMessage", &json!({"ReceiptHandle": message.receipt_handle})).map(drop)
    }

    fn call(&self, operation: &str, request: &Value) -> Result<Value, AwsError> {
        let mut request = request.clone();
        request["QueueUrl"] = self.url.into();
        self.aws.json(SQS, operation, &request)
    }
}
