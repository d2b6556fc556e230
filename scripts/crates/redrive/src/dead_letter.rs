//! A message in a dead-letter queue: why it is there, and where it came from.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::error::RedriveError;
use crate::origin::Origin;

/// Attributes with the reason for a dead letter: those of ferrite-runtime, and of EventBridge ("Using dead-letter
/// queues to process undelivered events").
const ABOUT_THE_FAILURE: [&str; 7] =
    ["reason", "RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS"];

/// A message, as SQS hands it out (ReceiveMessage).
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Its message id.
    pub(crate) id: String,
    /// The receipt handle of this delivery.
    pub(crate) receipt_handle: String,
    body: String,
    attributes: Map<String, Value>,
    trace_header: Option<String>,
    sent: SystemTime,
}

/// The input of the function that failed.
#[derive(Debug, PartialEq)]
pub(crate) enum Input {
    /// This event.
    Event(Value),
    /// Records of a stream, of which Lambda only kept the position.
    Place(Place),
}

/// The position of a batch in a stream ("Retaining records for a failed batch": `DDBStreamBatchInfo`).
#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    /// The stream.
    pub(crate) stream_arn: String,
    /// The shard.
    pub(crate) shard_id: String,
    /// The first record's number.
    pub(crate) start_sequence_number: String,
    /// The last record's number.
    pub(crate) end_sequence_number: String,
}

impl DeadLetter {
    /// Reads a message; `None` when it lacks what every message has.
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

    /// The time since it was first sent; zero if this machine's clock is behind.
    pub(crate) fn age(&self) -> Duration {
        self.sent.elapsed().unwrap_or_default()
    }

    /// The first line of its body.
    pub(crate) fn first_line(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }

    /// Why it is in the dead-letter queue.
    pub(crate) fn reason(&self, origin: &Origin) -> String {
        let attribute = |name: &str| self.attributes.get(name)?["StringValue"].as_str();
        if let Some(reason) = attribute("reason") {
            return reason.to_owned();
        }
        if let Some(code) = attribute("ERROR_CODE") {
            return format!("EventBridge could not deliver it: {code}: {}", attribute("ERROR_MESSAGE").unwrap_or_default());
        }
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        if let Some(condition) = condition(&body) {
            let message = body["responsePayload"]["errorMessage"].as_str().unwrap_or("the record does not say why");
            return format!("{condition}: {message}");
        }
        match origin {
            Origin::Queue { deliveries: Some(deliveries), .. } => format!("received {deliveries} times without success"),
            _ => "no reason is given".to_owned(),
        }
    }

    /// The request of SendMessage that sends it again, without the queue.
    pub(crate) fn as_sent(&self) -> Value {
        let mut attributes = self.attributes.clone();
        attributes.retain(|name, _| !ABOUT_THE_FAILURE.contains(&name.as_str()));
        let mut message = json!({"MessageBody": self.body, "MessageAttributes": attributes});
        if let Some(trace) = &self.trace_header {
            message["MessageSystemAttributes"] = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": trace}});
        }
        message
    }

    /// The input of the function that failed: the record that the function moved to the queue itself, the event that
    /// EventBridge could not deliver, or the input in Lambda's record of the failure ("Invocation records").
    ///
    /// # Errors
    /// When it is none of these.
    pub(crate) fn input(&self) -> Result<Input, RedriveError> {
        let unreadable = |reason: String| RedriveError::Unreadable { id: self.id.clone(), reason };
        let mut body: Value = serde_json::from_str(&self.body).map_err(|error| unreadable(error.to_string()))?;
        if body.get("DDBStreamBatchInfo").is_some() {
            let place = serde_json::from_value(body["DDBStreamBatchInfo"].take());
            return place.map(Input::Place).map_err(|error| unreadable(error.to_string()));
        }
        if condition(&body).is_some() {
            return match body["requestPayload"].take() {
                Value::Null => Err(unreadable("the record of the failure lacks the event".to_owned())),
                event => Ok(Input::Event(event)),
            };
        }
        let is_record = body.get("eventSource").is_some();
        Ok(Input::Event(if is_record { json!({"Records": [body]}) } else { body }))
    }
}

/// Why Lambda gave up, in its record of a failure.
fn condition(body: &Value) -> Option<&str> {
    body["requestContext"]["condition"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: fn() -> Origin = || Origin::Events { function: "F".to_owned() };

    fn letter(body: &str, attributes: &Value) -> DeadLetter {
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
    fn reads_the_reason_of_each_sender() {
        let queue = Origin::Queue { queue: "Q".to_owned(), deliveries: Some(12) };
        assert_eq!(letter("x", &json!({"reason": text("there is no order")})).reason(&queue), "there is no order");
        assert_eq!(letter("x", &json!({})).reason(&queue), "received 12 times without success");
        let undelivered = json!({"ERROR_CODE": text("NO_PERMISSIONS"), "ERROR_MESSAGE": text("denied")});
        assert_eq!(letter("{}", &undelivered).reason(&queue), "EventBridge could not deliver it: NO_PERMISSIONS: denied");
        let failed =
            json!({"requestContext": {"condition": "RetriesExhausted"}, "responsePayload": {"errorMessage": "boom"}});
        assert_eq!(letter(&failed.to_string(), &json!({})).reason(&FUNCTION()), "RetriesExhausted: boom");
    }

    #[test]
    fn sends_a_message_back_unchanged() {
        let attributes = json!({"reason": text("no"), "ERROR_CODE": text("c"), "tenant": text("t")});
        let message = letter("body", &attributes).as_sent();
        assert_eq!(message["MessageBody"], "body");
        assert_eq!(message["MessageAttributes"], json!({"tenant": text("t")}));
        assert_eq!(message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"], "Root=1-a");
    }

    #[test]
    fn finds_the_input_of_the_failed_function() {
        let input = |body: &Value| letter(&body.to_string(), &json!({})).input().unwrap();
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
        let Input::Place(place) = letter(&batch.to_string(), &json!({})).input().unwrap() else { panic!() };
        assert_eq!((place.start_sequence_number.as_str(), place.end_sequence_number.as_str()), ("800", "900"));
    }

    #[test]
    fn rejects_messages_without_an_event() {
        for body in ["not json", r#"{"requestContext": {"condition": "RetriesExhausted"}}"#] {
            assert!(letter(body, &json!({})).input().is_err(), "{body}");
        }
    }
}
