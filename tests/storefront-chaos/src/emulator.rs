//! Access to the tables, queues and sent e-mails of the emulator, as an administrator and not through the proxy.

use ferrite_aws_client::client::{AwsClient, DYNAMODB, JsonService, SQS};
use ferrite_aws_client::emulator::{Email, QueuedMessage, queued_messages, sent_emails};
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_client::error::AwsError;
use ferrite_aws_proxy::functions::Functions;
use http::Method;
use serde_json::{Map, Value, json};

/// A client of the emulator.
#[derive(Debug, Clone)]
pub(crate) struct Emulator {
    aws: AwsClient,
}

/// Reads the reason why a message is in a dead-letter queue: the message attribute that our functions set, or the
/// condition in Lambda's invocation record ("Retaining records of asynchronous invocations").
pub(crate) fn reason(message: &QueuedMessage) -> Option<String> {
    let attribute = message.attributes["reason"]["StringValue"].as_str().map(str::to_owned);
    attribute.or_else(|| {
        let record: Value = serde_json::from_str(&message.body).ok()?;
        record["requestContext"]["condition"].as_str().map(str::to_owned)
    })
}

impl Emulator {
    pub(crate) fn new(target: Target) -> Self {
        Self { aws: AwsClient::new(target) }
    }

    /// Calls an operation of a service with an AWS JSON protocol.
    pub(crate) fn call(&self, service: JsonService, operation: &str, body: &Value) -> Result<Value, AwsError> {
        self.aws.json(service, operation, body)
    }

    /// Invokes a function asynchronously.
    pub(crate) fn invoke(&self, function: &str, payload: &Value) -> Result<(), AwsError> {
        self.aws.invoke(function, payload, false).map(drop)
    }

    /// Returns the names of all functions, and the functions for the proxy.
    pub(crate) fn functions(&self) -> Result<(Vec<String>, Functions), AwsError> {
        let listed = self.aws.rest_json("lambda", Method::GET, "/2015-03-31/functions/", None)?;
        let mut names = Vec::new();
        let mut functions = Functions::default();
        for function in listed["Functions"].as_array().into_iter().flatten() {
            let member = |name: &str| function[name].as_str().unwrap_or_default();
            names.push(member("FunctionName").to_owned());
            functions.insert(member("FunctionName"), member("FunctionArn"), member("Role"));
        }
        Ok((names, functions))
    }

    /// Returns every item of a table as plain JSON.
    pub(crate) fn scan(&self, table: &str) -> Result<Vec<Map<String, Value>>, AwsError> {
        let mut items = Vec::new();
        let mut request = json!({ "TableName": table, "ConsistentRead": true });
        loop {
            let mut page = self.call(DYNAMODB, "Scan", &request)?;
            let found = page["Items"].as_array_mut().map(std::mem::take).unwrap_or_default();
            items.extend(found.into_iter().filter_map(plain_item));
            if page["LastEvaluatedKey"].is_null() {
                return Ok(items);
            }
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
        }
    }

    /// Returns an item of a table as plain JSON.
    pub(crate) fn item(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Map<String, Value>>, AwsError> {
        let key = json!({ "pk": {"S": pk}, "sk": {"S": sk} });
        let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        Ok(plain_item(self.call(DYNAMODB, "GetItem", &request)?["Item"].take()))
    }

    pub(crate) fn put(&self, table: &str, item: &Value) -> Result<(), AwsError> {
        self.call(DYNAMODB, "PutItem", &json!({ "TableName": table, "Item": item })).map(drop)
    }

    pub(crate) fn send_message(&self, queue: &str, body: &str) -> Result<(), AwsError> {
        self.call(SQS, "SendMessage", &json!({ "QueueUrl": queue, "MessageBody": body })).map(drop)
    }

    /// Returns the messages in a queue without receiving them.
    pub(crate) fn messages(&self, queue: &str) -> Result<Vec<QueuedMessage>, AwsError> {
        queued_messages(&self.aws, queue)
    }

    /// Returns every e-mail that SES accepted.
    pub(crate) fn emails(&self) -> Result<Vec<Email>, AwsError> {
        sent_emails(&self.aws)
    }
}

fn plain_item(item: Value) -> Option<Map<String, Value>> {
    let Value::Object(item) = item else { return None };
    Some(item.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

/// Converts a DynamoDB attribute value to plain JSON.
fn plain(attribute: Value) -> Value {
    let Value::Object(typed) = attribute else { return Value::Null };
    let Some((kind, value)) = typed.into_iter().next() else { return Value::Null };
    match (kind.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(&number).unwrap_or_default(),
        ("L", Value::Array(list)) => list.into_iter().map(plain).collect(),
        ("M", Value::Object(map)) => map.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        ("NULL", _) => Value::Null,
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_an_item_to_plain_json() {
        let item =
            json!({ "a": {"S": "x"}, "n": {"N": "-3"}, "l": {"L": [{"M": {"b": {"BOOL": true}}}]}, "z": {"NULL": true} });
        assert_eq!(Value::from(plain_item(item).unwrap()), json!({ "a": "x", "n": -3, "l": [{"b": true}], "z": null }));
    }

    #[test]
    fn reads_the_reason_from_the_attribute_or_the_invocation_record() {
        let reason_of = |body: &str, attributes: Value| reason(&QueuedMessage { body: body.to_owned(), attributes });
        let attributes = json!({ "reason": {"DataType": "String", "StringValue": "no such order"} });
        assert_eq!(reason_of("x", attributes).as_deref(), Some("no such order"));
        let record = json!({ "requestContext": {"condition": "RetriesExhausted"} }).to_string();
        assert_eq!(reason_of(&record, Value::Null).as_deref(), Some("RetriesExhausted"));
        assert_eq!(reason_of("x", Value::Null), None);
    }
}
