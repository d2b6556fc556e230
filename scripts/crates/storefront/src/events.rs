//! The event that each function is invoked with, and how its response shows success.

use serde_json::{Value, json};

use crate::invocation::Invocation;
use crate::items::{CALLER, IMAGE, ORDER, PRODUCT, customer_registered, order, order_placed};
use ferrite_local_stack::template::{Function, Route};

/// What `function` is invoked with; `None` when there is no event for it. `token` is for `authorize` to verify.
pub(crate) fn invocation(function: &Function, token: &str) -> Option<Invocation> {
    let (event, succeeded): (_, fn(&Value) -> bool) = match (&function.route, function.name.as_str()) {
        (Some(route), _) => (request(route)?, is_success),
        (None, "authorize") => (authorization(token), is_allowed),
        (None, "relay-events") => (json!({ "Records": [stream_record()] }), is_handled),
        (None, "process-order") => (json!({ "Records": [queue_message(&order_placed())] }), is_handled),
        (None, "notify-customer") => (json!({ "Records": [queue_message(&customer_registered())] }), is_handled),
        (None, "confirm-email") => (json!({ "Records": [queue_message(&email_sent())] }), is_handled),
        (None, "expire-orders" | "report-sales") => (scheduled(), Value::is_null),
        (None, "process-image") => (json!({ "Records": [upload_notification()] }), is_handled),
        (None, _) => return None,
    };
    Some(Invocation::new(event, succeeded))
}

/// What the yardstick that does nothing is invoked with. Its payload is as long as that of a function.
pub(crate) fn floor() -> Option<Invocation> {
    Some(Invocation::new(yardstick_request()?, |_| true))
}

/// What the yardstick that reads a product is invoked with.
pub(crate) fn default() -> Option<Invocation> {
    Some(Invocation::new(yardstick_request()?, is_success))
}

fn yardstick_request() -> Option<Value> {
    request(&Route { method: "GET".to_owned(), path: "/products/{productId}".to_owned() })
}

/// Success of a function behind API Gateway.
fn is_success(answer: &Value) -> bool {
    answer["statusCode"].as_u64().is_some_and(|status| (200..300).contains(&status))
}

fn is_allowed(answer: &Value) -> bool {
    answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
}

/// A partial batch response without failures, or the response of a function that reports none.
fn is_handled(answer: &Value) -> bool {
    answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty)
}

/// API Gateway's event for a route ("Input format of a Lambda function for proxy integration"); `None` when it takes a body
/// that nobody has written.
fn request(route: &Route) -> Option<Value> {
    let Route { method, path } = route;
    let body = match (method.as_str(), path.as_str()) {
        ("GET" | "DELETE" | "OPTIONS", _) | ("POST", "/orders/{orderId}/cancel") => Value::Null,
        ("PUT", "/me") => json!({"email": "ada@example.org", "name": "Ada"}),
        ("POST", "/products") => json!({"name": "Teapot", "price": {"amount": 3200, "currency": "EUR"}, "stock": 5}),
        ("PATCH", "/products/{productId}") => json!({"stock": 5}),
        ("POST", "/products/{productId}/images") => json!({"contentType": "image/png", "sizeBytes": 2048}),
        ("POST", "/orders") => {
            json!({"lines": [{"productId": PRODUCT, "quantity": 2}], "paymentToken": "tok_success"})
        }
        _ => return None,
    };
    let body = if body.is_null() { body } else { Value::String(body.to_string()) };
    let headers = json!({
        "Accept": "application/json", "Accept-Encoding": "gzip", "Authorization": format!("Bearer {}", "x".repeat(600)),
        "Content-Type": "application/json", "Host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
        "Idempotency-Key": "", "User-Agent": "ferrite-bench", "X-Amzn-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
    });
    let each: serde_json::Map<_, _> =
        headers.as_object()?.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let called = path.replace("{productId}", PRODUCT).replace("{orderId}", ORDER);
    Some(json!({
        "resource": path, "path": called, "httpMethod": method, "headers": headers, "multiValueHeaders": each,
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"productId": PRODUCT, "orderId": ORDER}, "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000", "apiId": "abcdefghij", "resourceId": "abc123", "resourcePath": path,
            "httpMethod": method, "path": format!("/v1{called}"), "stage": "v1", "protocol": "HTTP/1.1",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com", "domainPrefix": "abcdefghij",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "extendedRequestId": "JKJaXmPLvHcESHA=",
            "requestTime": "22/Nov/2026:22:00:00 +0000", "requestTimeEpoch": 1_795_384_800_000_u64,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "ferrite-bench"},
            "authorizer": {"principalId": CALLER, "sub": CALLER, "scope": "products:write", "integrationLatency": 5},
        },
        "body": body, "isBase64Encoded": false,
    }))
}

fn authorization(token: &str) -> Value {
    let bearer = format!("Bearer {token}");
    json!({
        "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/v1/GET/orders",
        "resource": "/orders", "path": "/orders", "httpMethod": "GET",
        "headers": {"Authorization": bearer}, "multiValueHeaders": {"Authorization": [bearer]},
        "requestContext": {"accountId": "000000000000", "apiId": "abcdefghij", "stage": "v1", "path": "/v1/orders"},
    })
}

fn stream_record() -> Value {
    let placed = order(ORDER);
    json!({
        "eventID": "7de3041dd709b024af6f29e4fa13d34c", "eventName": "INSERT", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/bench/stream/2026-11-22T22:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_384_800, "Keys": {"pk": placed["pk"], "sk": placed["sk"]},
            "NewImage": placed, "SequenceNumber": "4421584500000000017450439091", "SizeBytes": 420,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}

fn queue_message(event: &Value) -> Value {
    json!({
        "messageId": "", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": event.to_string(), "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": "1795384800000", "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1795384800001",
        },
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
    })
}

/// The event of SES about an e-mail that notify-customer sent.
fn email_sent() -> Value {
    let digest = "5f2ab3c1d0e94f7b8a6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a";
    let tags = json!({ "ses:configuration-set": ["ferrite-bench"], "record": [digest] });
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eab", "detail-type": "Email Sent", "source": "aws.ses",
        "account": "000000000000", "time": "2026-11-22T22:00:00Z", "region": "us-east-1", "resources": [],
        "detail": { "eventType": "Send", "mail": { "messageId": "0100019", "tags": tags }, "send": {} },
    })
}

fn scheduled() -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "000000000000", "time": "2026-11-22T22:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/bench"], "detail": {},
    })
}

fn upload_notification() -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-11-22T22:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0", "bucket": {"name": "bench", "arn": "arn:aws:s3:::bench"},
            "object": {"key": format!("uploads/{PRODUCT}/{IMAGE}"), "size": 2048, "sequencer": "0055AED6DCD90281E5"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrite_local_stack::template::Template;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn functions() -> Vec<Function> {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../template.yaml");
        Template::read(&template).unwrap().functions().unwrap()
    }

    #[test]
    fn every_function_of_the_template_has_an_event() {
        let without: Vec<_> = functions().into_iter().filter(|function| invocation(function, "").is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn no_two_invocations_share_an_idempotency_key() {
        for function in functions() {
            let invocation = invocation(&function, "").unwrap();
            let events: BTreeSet<_> = (0..3).map(|number| invocation.event(number)).collect();
            let keyed = function.route.is_some()
                || ["process-order", "notify-customer", "confirm-email"].contains(&function.name.as_str());
            assert_eq!(events.len(), if keyed { 3 } else { 1 }, "{}", function.name);
            let event: Value = serde_json::from_str(&invocation.event(7)).unwrap();
            let (one, all) = (&event["headers"]["Idempotency-Key"], &event["multiValueHeaders"]["Idempotency-Key"][0]);
            assert_eq!(one, all, "{}", function.name);
        }
    }

    #[test]
    fn a_request_matches_its_route() {
        let route = Route { method: "PATCH".to_owned(), path: "/products/{productId}".to_owned() };
        let event = request(&route).unwrap();
        assert_eq!(event["path"], format!("/products/{PRODUCT}"));
        assert_eq!(event["body"], r#"{"stock":5}"#);
        assert!(request(&Route { method: "PUT".to_owned(), path: "/unheard-of".to_owned() }).is_none());
    }

    #[test]
    fn a_response_that_reports_a_failure_is_not_a_success() {
        for (succeeded, good, bad) in [
            (is_success as fn(&Value) -> bool, json!({"statusCode": 201}), json!({"statusCode": 404})),
            (is_handled, json!({"batchItemFailures": []}), json!({"batchItemFailures": [{"itemIdentifier": "1"}]})),
            (is_handled, Value::Null, json!({"batchItemFailures": [{"itemIdentifier": ""}]})),
            (is_allowed, json!({"policyDocument": {"Statement": [{"Effect": "Allow"}]}}), json!({})),
        ] {
            let invocation = Invocation::new(Value::Null, succeeded);
            assert!(invocation.succeeded(good.to_string().as_bytes()), "{good}");
            assert!(!invocation.succeeded(bad.to_string().as_bytes()), "{bad}");
        }
    }
}
