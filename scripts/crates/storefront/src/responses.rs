//! The responses of AWS while functions are measured.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::items::{NO_PARTITION, ORDER, PRODUCT, customer, order, page, product};

/// 64 by 64 pixels, so that decoding does not dominate the figures of process-image.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAA8klEQVR42tXPEXdCYQAA0O+d8yAIgiAIBkEQBMEgCAbBYBAEQRAEQRAEwYNBEA\
    SDwSAYDAZBEARBEARBEARBEASDwWDQ77jn3D9woxCSOARXFGI9kNIDaT2Q0QNZPZDTA3k98KAHCnqgqAdKeqCsByp64FEPVPVATQ886YG6HnjW\
    Ay96oKEHmnqgpQfaeqCjB7p6oKcH+npgoAeGemCkBxI98KoHxnpgogemeuBND7zrgQ89MNMDn3rgSw9864G5HljogaUeWOmBtR7Y6IGtHtjpgb\
    0eOOiBox446YGzHrjogaseuOmBHz3wqwf+9MC/HbgDsdh+wdM3ARsAAAAASUVORK5CYII=";

const EMAIL_SENT: &str = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendEmailResult>\
    <MessageId>0102018b</MessageId></SendEmailResult></SendEmailResponse>";

/// A call of a function to AWS.
#[derive(Debug, Clone, Copy)]
pub struct AwsCall<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The path.
    pub path: &'a str,
    /// The header `X-Amz-Target`: the service and the operation of a JSON protocol.
    pub target: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A response of AWS.
#[derive(Debug, Clone)]
pub struct AwsResponse {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// The response to a call; `None` for a call that no function makes while everything succeeds. `parameter` is the value of
/// every parameter.
pub(crate) fn answer(call: &AwsCall<'_>, parameter: &str) -> Option<AwsResponse> {
    let Some(target) = call.target else { return untargeted(call) };
    let body: Value = serde_json::from_slice(call.body).ok()?;
    if reports_failure(&body) {
        return None;
    }
    let (_, operation) = target.split_once('.')?;
    let answer = match operation {
        "Query" if is_prewarm(&body) => json!({ "Count": 0, "ScannedCount": 0, "Items": [] }),
        "PutItem" | "UpdateItem" | "DeleteItem" if is_prewarm(&body) => {
            let error = json!({
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "The conditional request failed",
            });
            return Some(AwsResponse::json(StatusCode::BAD_REQUEST, &error));
        }
        "GetItem" => get_item(&body),
        "Query" => {
            let of_products = body["ExpressionAttributeValues"][":all"].is_object();
            let items = if of_products { page(product, PRODUCT) } else { page(order, ORDER) };
            json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items })
        }
        "BatchGetItem" => batch_get_item(&body),
        "UpdateItem" | "DeleteItem" if body["ReturnValues"].is_string() => json!({ "Attributes": product(PRODUCT) }),
        "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems" => json!({}),
        "GetParameter" => {
            json!({ "Parameter": { "Name": body["Name"], "Type": "String", "Value": parameter, "Version": 1 } })
        }
        "PutEvents" => return Some(put_events(&body)),
        _ => return None,
    };
    Some(AwsResponse::json(StatusCode::OK, &answer))
}

/// The response to calls of S3 and SES, which are identified by path or body.
fn untargeted(call: &AwsCall<'_>) -> Option<AwsResponse> {
    match *call.method {
        Method::POST if call.body.starts_with(b"Action=SendEmail&") => {
            Some(AwsResponse { status: StatusCode::OK, content_type: "text/xml", body: EMAIL_SENT.as_bytes().to_vec() })
        }
        Method::GET if call.path.contains("/uploads/") => {
            let picture = STANDARD.decode(PICTURE).ok()?;
            Some(AwsResponse { status: StatusCode::OK, content_type: "image/png", body: picture })
        }
        Method::PUT => Some(AwsResponse { status: StatusCode::OK, content_type: "application/xml", body: Vec::new() }),
        _ => None,
    }
}

impl AwsResponse {
    fn json(status: StatusCode, body: &Value) -> Self {
        Self { status, content_type: "application/x-amz-json-1.1", body: body.to_string().into_bytes() }
    }
}

/// A function that marks an image or an order as failed does not fail itself; only its write shows it.
fn reports_failure(body: &Value) -> bool {
    match body {
        Value::Object(members) if members.len() == 1 => {
            let text = members.get("S").and_then(Value::as_str);
            text.is_some_and(|text| text == "failed" || text == "payment_failed") || members.values().any(reports_failure)
        }
        Value::Object(members) => members.values().any(reports_failure),
        Value::Array(elements) => elements.iter().any(reports_failure),
        _ => false,
    }
}

/// Whether a call only opens the connection: its partition never has items.
fn is_prewarm(body: &Value) -> bool {
    let queried = body["ExpressionAttributeValues"].as_object().into_iter().flat_map(|values| values.values());
    let named = [&body["Key"]["pk"], &body["Item"]["pk"]];
    queried.chain(named).any(|value| value["S"] == NO_PARTITION)
}

/// Products and orders exist. Anything else does not, such as a saved response of an idempotency key.
fn get_item(body: &Value) -> Value {
    let partition = body["Key"]["pk"]["S"].as_str().unwrap_or_default();
    match partition.split_once('#') {
        Some(("PRODUCT", id)) => json!({ "Item": product(id) }),
        Some(("CUSTOMER", _)) if body["Key"]["sk"]["S"] == "PROFILE" => json!({ "Item": customer() }),
        Some(("CUSTOMER", _)) => json!({ "Item": order(ORDER) }),
        _ => json!({}),
    }
}

fn batch_get_item(body: &Value) -> Value {
    let tables = body["RequestItems"].as_object().into_iter().flatten();
    let found = tables.map(|(table, wanted)| {
        let keys = wanted["Keys"].as_array().into_iter().flatten();
        let items = keys.map(|key| get_item(&json!({ "Key": key }))["Item"].take());
        (table.clone(), Value::Array(items.filter(|item| !item.is_null()).collect()))
    });
    json!({ "Responses": found.collect::<serde_json::Map<_, _>>(), "UnprocessedKeys": {} })
}

fn put_events(body: &Value) -> AwsResponse {
    let entries = body["Entries"].as_array().map_or(0, Vec::len);
    if entries == 0 {
        let error = json!({ "__type": "ValidationException", "message": "entries must not be empty" });
        return AwsResponse::json(StatusCode::BAD_REQUEST, &error);
    }
    let accepted = vec![json!({ "EventId": "17793124-05d4-b198-2fde-7ededc63b103" }); entries];
    AwsResponse::json(StatusCode::OK, &json!({ "FailedEntryCount": 0, "Entries": accepted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(target: &str, body: &Value) -> Option<Value> {
        let body = body.to_string();
        let call = AwsCall { method: &Method::POST, path: "/", target: Some(target), body: body.as_bytes() };
        answer(&call, "{}").map(|answer| serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn products_and_orders_are_there_and_saved_answers_are_not() {
        let get = |pk: &str| ask("DynamoDB_20120810.GetItem", &json!({"Key": {"pk": {"S": pk}, "sk": {"S": "x"}}})).unwrap();
        assert_eq!(get(&format!("PRODUCT#{PRODUCT}"))["Item"]["id"]["S"], PRODUCT);
        assert_eq!(get("CUSTOMER#x")["Item"]["status"]["S"], "pending");
        let profile = json!({"Key": {"pk": {"S": "CUSTOMER#x"}, "sk": {"S": "PROFILE"}}});
        assert_eq!(ask("DynamoDB_20120810.GetItem", &profile).unwrap()["Item"]["name"]["S"], "Ada");
        assert_eq!(get("IDEMPOTENCY#x"), json!({}));
    }

    #[test]
    fn a_batch_answers_each_key_under_its_table() {
        let key = json!({"pk": {"S": format!("PRODUCT#{PRODUCT}")}, "sk": {"S": "PRODUCT"}});
        let answer = ask("DynamoDB_20120810.BatchGetItem", &json!({"RequestItems": {"t": {"Keys": [key]}}})).unwrap();
        assert_eq!(answer["Responses"]["t"][0]["id"]["S"], PRODUCT);
    }

    /// Else an init that opens its connection by a query would read a page that is not there.
    #[test]
    fn what_opens_a_connection_finds_nothing_and_changes_nothing() {
        let values = json!({"ExpressionAttributeValues": {":none": {"S": NO_PARTITION}}});
        assert_eq!(ask("DynamoDB_20120810.Query", &values).unwrap()["Items"], json!([]));
        let no_item = json!({"pk": {"S": NO_PARTITION}, "sk": {"S": NO_PARTITION}});
        assert_eq!(ask("DynamoDB_20120810.GetItem", &json!({"Key": no_item})).unwrap(), json!({}));
        for (operation, body) in [
            ("PutItem", json!({"Item": no_item})),
            ("UpdateItem", json!({"Key": no_item})),
            ("DeleteItem", json!({"Key": no_item})),
        ] {
            let error = ask(&format!("DynamoDB_20120810.{operation}"), &body).unwrap();
            assert!(error["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException"), "{operation}");
        }
    }

    #[test]
    fn a_page_has_each_identifier_once() {
        let answer =
            ask("DynamoDB_20120810.Query", &json!({"ExpressionAttributeValues": {":all": {"S": "PRODUCTS"}}})).unwrap();
        let ids: std::collections::BTreeSet<_> =
            answer["Items"].as_array().unwrap().iter().map(|item| item["id"]["S"].as_str().unwrap()).collect();
        assert_eq!(ids.len() as u64, answer["Count"].as_u64().unwrap());
        assert!(ids.contains(PRODUCT));
    }

    #[test]
    fn every_entry_is_accepted_and_none_is_refused() {
        let put = |entries: Value| ask("AWSEvents.PutEvents", &json!({ "Entries": entries })).unwrap();
        assert_eq!(put(json!([{}, {}]))["Entries"].as_array().unwrap().len(), 2);
        assert_eq!(put(json!([]))["__type"], "ValidationException");
    }

    #[test]
    fn what_only_a_failing_function_asks_has_no_answer() {
        let failed = json!({"ExpressionAttributeValues": {":state": {"S": "failed"}, ":reason": {"S": "why"}}});
        assert!(ask("DynamoDB_20120810.UpdateItem", &failed).is_none());
        assert!(ask("AmazonSQS.SendMessage", &json!({})).is_none());
    }
}
