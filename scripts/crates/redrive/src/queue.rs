//! A dead-letter queue, read and emptied (SQS's JSON protocol).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dead_letter::DeadLetter;
use crate::aws::{Aws, JsonService};
use crate::process::go_on;
use crate::trouble::Trouble;

const SQS: JsonService = JsonService { host: "sqs", signed_for: "sqs", target: "AmazonSQS", version: "1.0" };

/// The most messages that one call takes.
const PAGE: usize = 10;

/// A queue by its URL.
pub struct Queue<'a> {
    aws: &'a Aws,
    url: &'a str,
}

impl<'a> Queue<'a> {
    /// The queue at `url`.
    #[must_use]
    pub fn new(aws: &'a Aws, url: &'a str) -> Self {
        Self { aws, url }
    }

    /// How many messages are hidden, because somebody has received them and not deleted them.
    ///
    /// # Errors
    /// When SQS does not answer or refuses.
    pub fn hidden(&self) -> Result<u64, Trouble> {
        const HIDDEN: &str = "ApproximateNumberOfMessagesNotVisible";
        let answer = self.call("GetQueueAttributes", &json!({"AttributeNames": [HIDDEN]}))?;
        Ok(answer["Attributes"][HIDDEN].as_str().and_then(|count| count.parse().ok()).unwrap_or_default())
    }

    /// Every message that is visible, each once, the oldest first. They are hidden from others for `seconds`, or until
    /// they are shown again. To receive a message harms it nowhere but in a queue with a redrive policy of its own.
    ///
    /// # Errors
    /// When SQS does not answer or refuses. What was received by then is visible again after `seconds`.
    pub fn receive_all(&self, seconds: u32) -> Result<Vec<DeadLetter>, Trouble> {
        let request = json!({
            "MaxNumberOfMessages": PAGE,
            "VisibilityTimeout": seconds,
            // A long poll asks every server that holds a part of the queue: when it finds nothing, there is nothing.
            "WaitTimeSeconds": 1,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut received: BTreeMap<String, DeadLetter> = BTreeMap::new();
        loop {
            go_on()?;
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

    /// Makes messages visible again. One that is not is visible after its time.
    pub fn show<'m>(&self, messages: impl Iterator<Item = &'m DeadLetter>) {
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

    /// Puts a message in.
    ///
    /// # Errors
    /// When SQS does not answer or refuses.
    pub fn send(&self, message: &Value) -> Result<(), Trouble> {
        self.call("SendMessage", message).map(drop)
    }

    /// Takes a message out for good.
    ///
    /// # Errors
    /// When SQS does not answer or refuses.
    pub fn delete(&self, message: &DeadLetter) -> Result<(), Trouble> {
        self.call("DeleteMessage", &json!({"ReceiptHandle": message.receipt_handle})).map(drop)
    }

    fn call(&self, operation: &str, request: &Value) -> Result<Value, Trouble> {
        let mut request = request.clone();
        request["QueueUrl"] = self.url.into();
        self.aws.json(SQS, operation, &request)
    }
}
