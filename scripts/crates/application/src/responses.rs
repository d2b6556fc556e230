//! The responses of AWS to the functions while the benchmark measures them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::items::{NO_PARTITION, ORDER, PRODUCT, customer, order, page, product};

/// A PNG image of only 64 by 64 pixels, so that decoding it does not dominate the measurements of process-image.
const PNG_IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAA8klEQVR42tXPEXdCYQAA0O+d8yAIgiAIBkEQBMEgCAbBYBAEQRAEQRAEwYNBEA\
    SDwSAYDAZBEARBEARBEARBEASDwWDQ77jn3D9woxCSOARXFGI9kNIDaT2Q0QNZPZDTA3k98KAHCnqgqAdKeqCsByp64FEPVPVATQ886YG6HnjW\
    Ay96oKEHmnqgpQfaeqCjB7p6oKcH+npgoAeGemCkBxI98KoHxnpgogemeuBND7zrgQ89MNMDn3rgSw9864G5HljogaUeWOmBtR7Y6IGtHtjpgb\
    0eOOiBox446YGzHrjogaseuOmBHz3wqwf+9MC/HbgDsdh+wdM3ARsAAAAASUVORK5CYII=";

const EMAIL_SENT: &str = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendEmailResult>\
    <MessageId>0102018b</MessageId></SendEmailResult></SendEmailResponse>";

/// An HTTP request from a function to AWS.
#[derive(Debug, Clone, Copy)]
pub struct AwsCall<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// URL path.
    pub path: &'a str,
    /// The `X-Amz-Target` header, which contains the service and the operation of an AWS JSON protocol.
    pub target: Option<&'a str>,
    /// Request body.
    pub body: &'a [u8],
}

/// An HTTP response from AWS.
#[derive(Debug, Clone)]
pub struct AwsResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Media type of the body.
    pub content_type: &'static str,
    /// Response body.
    pub body: Vec<u8>,
}

/// Returns the response to a call, or `None` for a call that no function makes unless it fails. `parameter` is the
/// value of every SSM parameter.
pub(crate) fn response_to(call: &AwsCall<'_>, parameter: &str) -> Option<AwsResponse> {
    let Some(target) = call.target else { return response_without_target(call) };
    let body: Value = serde_json::from_slice(call.body).ok()?;
    if reports_failure(&body) {
        return None;
    }
    let (_, operation) = target.split_once('.')?;
    let response = match operation {
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
            let is_product_query = body["ExpressionAttributeValues"][":all"].is_object();
            let items = if is_product_query { page(product, PRODUCT) } else { page(order, ORDER) };
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
    Some(AwsResponse::json(StatusCode::OK, &response))
}

/// Returns the response to a call of S3 or SES, which are identified by path or body instead of `X-Amz-Target`.
fn response_without_target(call: &AwsCall<'_>) -> Option<AwsResponse> {
    match *call.method {
        Method::POST if call.body.starts_with(b"Action=SendEmail&") => {
            Some(AwsResponse { status: StatusCode::OK, content_type: "text/xml", body: EMAIL_SENT.as_bytes().to_vec() })
        }
        Method::GET if call.path.contains("/uploads/") => {
            let image = STANDARD.decode(PNG_IMAGE).ok()?;
            Some(AwsResponse { status: StatusCode::OK, content_type: "image/png", body: image })
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

/// Returns `true` if a write sets the state of an image or an order to failed.
///
/// The response of such a function reports success, so only its write shows that processing failed.
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

/// Returns `true` if a call only prewarms the connection, which means that it accesses the empty partition.
fn is_prewarm(body: &Value) -> bool {
    let query_values = body["ExpressionAttributeValues"].as_object().into_iter().flat_map(|values| values.values());
    let keys = [&body["Key"]["pk"], &body["Item"]["pk"]];
    query_values.chain(keys).any(|value| value["S"] == NO_PARTITION)
}

/// Returns the response to GetItem. Products, orders and customers exist, but other items, such as the saved response
/// of an idempotency key, do not.
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
    let responses = tables.map(|(table, request)| {
        let keys = request["Keys"].as_array().into_iter().flatten();
        let items = keys.map(|key| get_item(&json!({ "Key": key }))["Item"].take());
        (table.clone(), Value::Array(items.filter(|item| !item.is_null()).collect()))
    });
    json!({ "Responses": responses.collect::<serde_json::Map<_, _>>(), "UnprocessedKeys": {} })
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

    fn send(target: &str, body: &Value) -> Option<Value> {
        let body = body.to_string();
        let call = AwsCall { method: &Method::POST, path: "/", target: Some(target), body: body.as_bytes() };
        response_to(&call, "{}").map(|response| serde_json::from_slice(&response.body).unwrap())
    }

    #[test]
    fn returns_products_orders_and_customers_but_no_saved_responses() {
        let get =
            |pk: &str| send("DynamoDB_20120810.GetItem", &json!({"Key": {"pk": {"S": pk}, "sk": {"S": "x"}}})).unwrap();
        assert_eq!(get(&format!("PRODUCT#{PRODUCT}"))["Item"]["id"]["S"], PRODUCT);
        assert_eq!(get("CUSTOMER#x")["Item"]["status"]["S"], "pending");
        let profile = json!({"Key": {"pk": {"S": "CUSTOMER#x"}, "sk": {"S": "PROFILE"}}});
        assert_eq!(send("DynamoDB_20120810.GetItem", &profile).unwrap()["Item"]["name"]["S"], "Ada");
        assert_eq!(get("IDEMPOTENCY#x"), json!({}));
    }

    #[test]
    fn returns_the_items_of_a_batch_by_table() {
        let key = json!({"pk": {"S": format!("PRODUCT#{PRODUCT}")}, "sk": {"S": "PRODUCT"}});
        let response = send("DynamoDB_20120810.BatchGetItem", &json!({"RequestItems": {"t": {"Keys": [key]}}})).unwrap();
        assert_eq!(response["Responses"]["t"][0]["id"]["S"], PRODUCT);
    }

    /// The responses must be those of DynamoDB for an empty partition. Otherwise, an init phase that prewarms its
    /// connection with a query would parse a page of items that it does not parse on AWS.
    #[test]
    fn prewarm_calls_return_no_items_and_write_nothing() {
        let values = json!({"ExpressionAttributeValues": {":none": {"S": NO_PARTITION}}});
        assert_eq!(send("DynamoDB_20120810.Query", &values).unwrap()["Items"], json!([]));
        let no_item = json!({"pk": {"S": NO_PARTITION}, "sk": {"S": NO_PARTITION}});
        assert_eq!(send("DynamoDB_20120810.GetItem", &json!({"Key": no_item})).unwrap(), json!({}));
        for (operation, body) in [
            ("PutItem", json!({"Item": no_item})),
            ("UpdateItem", json!({"Key": no_item})),
            ("DeleteItem", json!({"Key": no_item})),
        ] {
            let error = send(&format!("DynamoDB_20120810.{operation}"), &body).unwrap();
            assert!(error["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException"), "{operation}");
        }
    }

    #[test]
    fn items_of_a_page_have_different_ids() {
        let response =
            send("DynamoDB_20120810.Query", &json!({"ExpressionAttributeValues": {":all": {"S": "PRODUCTS"}}})).unwrap();
        let ids: std::collections::BTreeSet<_> =
            response["Items"].as_array().unwrap().iter().map(|item| item["id"]["S"].as_str().unwrap()).collect();
        assert_eq!(ids.len() as u64, response["Count"].as_u64().unwrap());
        assert!(ids.contains(PRODUCT));
    }

    #[test]
    fn put_events_accepts_all_entries_but_rejects_an_empty_list() {
        let put = |entries: Value| send("AWSEvents.PutEvents", &json!({ "Entries": entries })).unwrap();
        assert_eq!(put(json!([{}, {}]))["Entries"].as_array().unwrap().len(), 2);
        assert_eq!(put(json!([]))["__type"], "ValidationException");
    }

    #[test]
    fn has_no_response_to_calls_that_only_a_failing_function_makes() {
        let failed = json!({"ExpressionAttributeValues": {":state": {"S": "failed"}, ":reason": {"S": "why"}}});
        assert!(send("DynamoDB_20120810.UpdateItem", &failed).is_none());
        assert!(send("AmazonSQS.SendMessage", &json!({})).is_none());
    }
}
