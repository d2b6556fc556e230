//! What the storm asks the emulator itself, as the account's administrator and past the proxy.

use std::time::{Duration, SystemTime};

use ferrite_tests::signer::Signer;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::StormError;
use crate::functions::Functions;

/// A service with a JSON protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    service: &'static str,
    target: &'static str,
}

pub(crate) const DYNAMODB: Protocol = Protocol { service: "dynamodb", target: "DynamoDB_20120810" };
pub(crate) const EVENTS: Protocol = Protocol { service: "events", target: "AWSEvents" };
pub(crate) const SQS: Protocol = Protocol { service: "sqs", target: "AmazonSQS" };

/// The emulator.
#[derive(Debug, Clone)]
pub(crate) struct Emulator {
    url: String,
    agent: ureq::Agent,
}

/// A message in a queue, whether it is visible or not.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message {
    pub(crate) body: String,
    #[serde(default)]
    message_attributes: Value,
}

impl Message {
    /// Why it is there, if it says so: as functions put aside what they cannot handle, or as Lambda's own on-failure
    /// records do ("Retaining records of asynchronous invocations").
    pub(crate) fn reason(&self) -> Option<String> {
        let attribute = self.message_attributes["reason"]["StringValue"].as_str().map(str::to_owned);
        attribute.or_else(|| {
            let record: Value = serde_json::from_str(&self.body).ok()?;
            record["requestContext"]["condition"].as_str().map(str::to_owned)
        })
    }
}

/// An e-mail that SES accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
}

impl Emulator {
    pub(crate) fn at(url: &str) -> Self {
        let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(30)));
        Self { url: url.to_owned(), agent: config.http_status_as_error(false).build().into() }
    }

    /// Calls an operation of a service with a JSON protocol.
    pub(crate) fn call(&self, protocol: Protocol, operation: &str, body: &Value) -> Result<Value, StormError> {
        let request = Request::post(format!("{}/", self.url))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{}.{operation}", protocol.target));
        self.send(operation, protocol.service, request, body.to_string())
    }

    /// Hands `payload` to a function and does not wait for what becomes of it (AWS Lambda, Invoke).
    pub(crate) fn invoke(&self, function: &str, payload: &Value) -> Result<(), StormError> {
        let request = Request::post(format!("{}/2015-03-31/functions/{function}/invocations", self.url))
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", "Event");
        self.send("Invoke", "lambda", request, payload.to_string()).map(drop)
    }

    /// The names of all functions.
    pub(crate) fn functions(&self) -> Result<(Vec<String>, Functions), StormError> {
        let request = Request::get(format!("{}/2015-03-31/functions/", self.url));
        let listed = self.send("ListFunctions", "lambda", request, String::new())?;
        let (mut names, mut functions) = (Vec::new(), Functions::default());
        for function in listed["Functions"].as_array().into_iter().flatten() {
            let text = |name: &str| function[name].as_str().unwrap_or_default();
            names.push(text("FunctionName").to_owned());
            functions.insert(text("FunctionName"), text("FunctionArn"), text("Role"));
        }
        Ok((names, functions))
    }

    /// Every item of a table, in plain JSON.
    pub(crate) fn scan(&self, table: &str) -> Result<Vec<Map<String, Value>>, StormError> {
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

    /// One item of a table, in plain JSON.
    pub(crate) fn item(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Map<String, Value>>, StormError> {
        let key = json!({ "pk": {"S": pk}, "sk": {"S": sk} });
        let mut found =
            self.call(DYNAMODB, "GetItem", &json!({ "TableName": table, "Key": key, "ConsistentRead": true }))?;
        Ok(plain_item(found["Item"].take()))
    }

    pub(crate) fn put(&self, table: &str, item: &Value) -> Result<(), StormError> {
        self.call(DYNAMODB, "PutItem", &json!({ "TableName": table, "Item": item })).map(drop)
    }

    pub(crate) fn send_message(&self, queue: &str, body: &str) -> Result<(), StormError> {
        self.call(SQS, "SendMessage", &json!({ "QueueUrl": queue, "MessageBody": body })).map(drop)
    }

    /// What lies in a queue. Looking changes nothing.
    pub(crate) fn messages(&self, queue: &str) -> Result<Vec<Message>, StormError> {
        let found = self.admin(&format!("/_ministack/sqs/messages?QueueUrl={queue}"))?;
        let regions = found["messages"].as_object().into_iter().flatten().filter_map(|(_, regions)| regions.as_object());
        let queues = regions.flatten().filter_map(|(_, queues)| queues.as_object()).flatten();
        let messages = queues.filter_map(|(_, messages)| messages.as_array()).flatten();
        Ok(messages.filter_map(|message| Message::deserialize(message).ok()).collect())
    }

    /// Every e-mail that was accepted.
    pub(crate) fn mails(&self) -> Result<Vec<Mail>, StormError> {
        let found = self.admin("/_ministack/ses/messages")?;
        let accounts = found["messages"].as_object().into_iter().flatten();
        let mails = accounts.filter_map(|(_, mails)| mails.as_array()).flatten();
        Ok(mails.filter_map(|mail| Mail::deserialize(mail).ok()).collect())
    }

    fn admin(&self, path: &str) -> Result<Value, StormError> {
        self.run(path, Request::get(format!("{}{path}", self.url)).body(Vec::new())?)
    }

    fn send(&self, what: &str, service: &str, request: http::request::Builder, body: String) -> Result<Value, StormError> {
        let (head, ()) = request.header("host", self.url.trim_start_matches("http://")).body(())?.into_parts();
        let signer = Signer { access_key: "test", secret_key: "test", token: None, region: "us-east-1", service };
        let head = signer.sign(head, body.as_bytes(), SystemTime::now())?;
        self.run(what, Request::from_parts(head, body.into_bytes()))
    }

    fn run(&self, what: &str, request: Request<Vec<u8>>) -> Result<Value, StormError> {
        let no_answer = |error: ureq::Error| StormError::NoAnswer { what: what.to_owned(), reason: error.to_string() };
        let mut answer = self.agent.run(request).map_err(no_answer)?;
        let body = answer.body_mut().with_config().limit(256 << 20).read_to_string().map_err(no_answer)?;
        if !answer.status().is_success() {
            return Err(StormError::Refused { what: what.to_owned(), status: answer.status().as_u16(), body });
        }
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }
}

fn plain_item(item: Value) -> Option<Map<String, Value>> {
    let Value::Object(item) = item else { return None };
    Some(item.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

/// An attribute value of DynamoDB's ("AttributeValue") as the JSON that it stands for.
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
    fn an_item_is_the_json_that_it_stands_for() {
        let item =
            json!({ "a": {"S": "x"}, "n": {"N": "-3"}, "l": {"L": [{"M": {"b": {"BOOL": true}}}]}, "z": {"NULL": true} });
        assert_eq!(Value::from(plain_item(item).unwrap()), json!({ "a": "x", "n": -3, "l": [{"b": true}], "z": null }));
    }

    #[test]
    fn a_dead_letter_says_why_in_an_attribute_or_as_lambdas_own_record() {
        let message = |message: Value| Message::deserialize(message).unwrap().reason();
        let attribute = json!({ "reason": {"DataType": "String", "StringValue": "no such order"} });
        assert_eq!(message(json!({ "Body": "x", "MessageAttributes": attribute })).as_deref(), Some("no such order"));
        let record = json!({ "requestContext": {"condition": "RetriesExhausted"} }).to_string();
        assert_eq!(message(json!({ "Body": record })).as_deref(), Some("RetriesExhausted"));
        assert_eq!(message(json!({ "Body": "x" })), None);
    }
}
