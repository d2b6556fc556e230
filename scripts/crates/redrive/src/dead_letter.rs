//! A message in a dead-letter queue, the reason it is there, and the input it contains.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::error::RedriveError;
use crate::origin::Origin;

/// Message attributes that describe the failure: `reason` is set by ferrite-runtime, and the others by EventBridge
/// (Amazon EventBridge, "Using dead-letter queues to process undelivered events").
const FAILURE_ATTRIBUTES: [&str; 7] =
    ["reason", "RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS"];

/// A message received from a dead-letter queue (Amazon SQS, ReceiveMessage).
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Message ID.
    pub(crate) id: String,
    /// Receipt handle of this receive.
    pub(crate) receipt_handle: String,
    body: String,
    attributes: Map<String, Value>,
    trace_header: Option<String>,
    sent: SystemTime,
}

/// The input of the invocation that failed.
#[derive(Debug, PartialEq)]
pub(crate) enum Input {
    /// The event.
    Event(Value),
    /// A batch of stream records. Lambda stores only its position in the stream.
    StreamBatch(StreamBatch),
}

/// The position of a batch in a stream: `DDBStreamBatchInfo` in the message (AWS Lambda, "Retain discarded records for a
/// DynamoDB event source in Lambda").
#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamBatch {
    /// ARN of the stream.
    pub(crate) stream_arn: String,
    /// ID of the shard.
    pub(crate) shard_id: String,
    /// Sequence number of the first record.
    pub(crate) start_sequence_number: String,
    /// Sequence number of the last record.
    pub(crate) end_sequence_number: String,
}

impl DeadLetter {
    /// Parses a message of a ReceiveMessage response. Returns `None` if a required field is missing.
    pub(crate) fn read(message: &Value) -> Option<Self> {
        let text = |field: &Value| field.as_str().map(str::to_owned);
        let sent: u64 = message["Attributes"]["SentTimestamp"].as_str()?.parse().ok()?;
        Some(Self {
            id: text(&message["MessageId"])?,
            receipt_handle: text(&message["ReceiptHandle"])?,
            body: text(&message["Body"])?,
            attributes: message["MessageAttributes"].as_object().cloned().unwrap_or_default(),
            trace_header: text(&message["Attributes"]["AWSTraceHeader"]),
            sent: SystemTime::UNIX_EPOCH + Duration::from_millis(sent),
        })
    }

    /// Time since the message was first sent. It is zero if the clock of this machine is behind.
    pub(crate) fn age(&self) -> Duration {
        self.sent.elapsed().unwrap_or_default()
    }

    /// First line of the message body.
    pub(crate) fn first_line(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }

    /// Describes why the message is in the dead-letter queue.
    pub(crate) fn reason(&self, origin: &Origin) -> String {
        let attribute = |name: &str| self.attributes.get(name)?["StringValue"].as_str();
        if let Some(reason) = attribute("reason") {
            return reason.to_owned();
        }
        if let Some(code) = attribute("ERROR_CODE") {
            let message = attribute("ERROR_MESSAGE").unwrap_or_default();
            return format!("EventBridge could not deliver the event: {code}: {message}");
        }
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        if let Some(condition) = condition(&body) {
            let message = body["responsePayload"]["errorMessage"].as_str().unwrap_or("no error message");
            return format!("{condition}: {message}");
        }
        match origin {
            Origin::Queue { max_receive_count: Some(count), .. } => format!("failed after {count} receives"),
            _ => "unknown reason".to_owned(),
        }
    }

    /// Returns the SendMessage request that sends the message again, without the queue URL and without
    /// [`FAILURE_ATTRIBUTES`].
    pub(crate) fn send_request(&self) -> Value {
        let mut attributes = self.attributes.clone();
        attributes.retain(|name, _| !FAILURE_ATTRIBUTES.contains(&name.as_str()));
        let mut message = json!({"MessageBody": self.body, "MessageAttributes": attributes});
        if let Some(trace) = &self.trace_header {
            message["MessageSystemAttributes"] = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": trace}});
        }
        message
    }

    /// Returns the input of the invocation that failed.
    ///
    /// The message contains the record that the function itself moved to the queue, the event that EventBridge could not
    /// deliver, or the invocation record of Lambda (AWS Lambda, "Capturing records of Lambda asynchronous invocations").
    ///
    /// # Errors
    /// Returns an error if the message contains none of these.
    pub(crate) fn input(&self) -> Result<Input, RedriveError> {
        let no_event = |reason: String| RedriveError::NoEvent { id: self.id.clone(), reason };
        let mut body: Value = serde_json::from_str(&self.body).map_err(|error| no_event(error.to_string()))?;
        if body.get("DDBStreamBatchInfo").is_some() {
            let batch = serde_json::from_value(body["DDBStreamBatchInfo"].take());
            return batch.map(Input::StreamBatch).map_err(|error| no_event(error.to_string()));
        }
        if condition(&body).is_some() {
            return match body["requestPayload"].take() {
                Value::Null => Err(no_event("the invocation record has no requestPayload".to_owned())),
                event => Ok(Input::Event(event)),
            };
        }
        let is_record = body.get("eventSource").is_some();
        Ok(Input::Event(if is_record { json!({"Records": [body]}) } else { body }))
    }
}

/// Returns the `condition` of an invocation record, which states why Lambda discarded the event.
fn condition(body: &Value) -> Option<&str> {
    body["requestContext"]["condition"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> Origin {
        Origin::AsyncInvocation { function: "F".to_owned() }
    }

    fn dead_letter(body: &str, attributes: &Value) -> DeadLetter {
        DeadLetter::read(&json!({
            "MessageId": "m", "ReceiptHandle": "r", "Body": body, "MessageAttributes": attributes,
            "Attributes": {"SentTimestamp": "1763800000000", "AWSTraceHeader": "Root=1-a"},
        }))
        .unwrap()
    }

    fn text(value: &str) -> Value {
        json!({"DataType": "String", "StringValue": value})
    }

    #[test]
    fn describes_the_reason_for_each_kind_of_dead_letter() {
        let queue = Origin::Queue { queue: "Q".to_owned(), max_receive_count: Some(12) };
        assert_eq!(dead_letter("x", &json!({"reason": text("item not found")})).reason(&queue), "item not found");
        assert_eq!(dead_letter("x", &json!({})).reason(&queue), "failed after 12 receives");
        let undelivered = json!({"ERROR_CODE": text("NO_PERMISSIONS"), "ERROR_MESSAGE": text("denied")});
        let expected = "EventBridge could not deliver the event: NO_PERMISSIONS: denied";
        assert_eq!(dead_letter("{}", &undelivered).reason(&queue), expected);
        let failed =
            json!({"requestContext": {"condition": "RetriesExhausted"}, "responsePayload": {"errorMessage": "boom"}});
        assert_eq!(dead_letter(&failed.to_string(), &json!({})).reason(&function()), "RetriesExhausted: boom");
    }

    #[test]
    fn send_request_keeps_everything_but_the_failure_attributes() {
        let attributes = json!({"reason": text("no"), "ERROR_CODE": text("c"), "tenant": text("t")});
        let message = dead_letter("body", &attributes).send_request();
        assert_eq!(message["MessageBody"], "body");
        assert_eq!(message["MessageAttributes"], json!({"tenant": text("t")}));
        assert_eq!(message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"], "Root=1-a");
    }

    #[test]
    fn finds_the_input_of_the_failed_invocation() {
        let input = |body: &Value| dead_letter(&body.to_string(), &json!({})).input().unwrap();
        let record = json!({"eventSource": "aws:s3", "s3": {}});
        assert_eq!(input(&record), Input::Event(json!({"Records": [record]})));
        let event = json!({"day": "2026-11-22"});
        assert_eq!(input(&event), Input::Event(event.clone()));
        let failed = json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event});
        assert_eq!(input(&failed), Input::Event(event));
    }

    #[test]
    fn finds_the_position_of_a_failed_batch() {
        let batch = json!({
            "requestContext": {"condition": "RetryAttemptsExhausted"},
            "DDBStreamBatchInfo": {
                "shardId": "shardId-1", "startSequenceNumber": "800", "endSequenceNumber": "900", "batchSize": 2,
                "streamArn": "arn",
            },
        });
        let Input::StreamBatch(batch) = dead_letter(&batch.to_string(), &json!({})).input().unwrap() else { panic!() };
        assert_eq!((batch.start_sequence_number.as_str(), batch.end_sequence_number.as_str()), ("800", "900"));
    }

    #[test]
    fn rejects_messages_without_an_event() {
        for body in ["not json", r#"{"requestContext": {"condition": "RetriesExhausted"}}"#] {
            assert!(dead_letter(body, &json!({})).input().is_err(), "{body}");
        }
    }
}
