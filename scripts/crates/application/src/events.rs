//! The events with which the benchmark invokes the functions, and the checks of the responses.

use serde_json::{Value, json};

use crate::invocation::Invocation;
use crate::items::{CALLER, CONFIRMATION_TOKEN, IMAGE, ORDER, PRODUCT, customer_registered, order, order_placed};
use ferrite_local_stack::template::{Function, Route};

/// Returns the invocation for `function`, or `None` if there is no event for it. `authorize` verifies `token`.
pub(crate) fn invocation(function: &Function, token: &str) -> Option<Invocation> {
    let (event, succeeded): (_, fn(&Value) -> bool) = match (&function.route, function.name.as_str()) {
        (Some(route), _) => (request(route)?, is_success),
        (None, "authorize") => (authorization(token), is_allowed),
        (None, "relay-events") => (json!({ "Records": [stream_record()] }), is_handled),
        (None, "process-order") => (json!({ "Records": [queue_message(&order_placed())] }), is_handled),
        (None, "notify-customer") => (json!({ "Records": [queue_message(&customer_registered())] }), is_handled),
        (None, "confirm-email") => (json!({ "Records": [queue_message(&email_sent())] }), is_handled),
        (None, "suppress-address") => (json!({ "Records": [queue_message(&email_bounced())] }), is_handled),
        (None, "expire-orders" | "report-sales") => (scheduled(), Value::is_null),
        (None, "process-image") => (json!({ "Records": [upload_notification()] }), is_handled),
        (None, _) => return None,
    };
    Some(Invocation::new(event, succeeded))
}

/// Returns the invocation for the `floor` baseline. It does not read the event, which has the same size as for a
/// function.
pub(crate) fn floor() -> Option<Invocation> {
    Some(Invocation::new(baseline_request()?, |_| true))
}

/// Returns the invocation for the `default` baseline, which reads a product.
pub(crate) fn default() -> Option<Invocation> {
    Some(Invocation::new(baseline_request()?, is_success))
}

fn baseline_request() -> Option<Value> {
    request(&Route { method: "GET".to_owned(), path: "/products/{productId}".to_owned() })
}

/// Returns `true` for a response to API Gateway with a 2xx status.
fn is_success(response: &Value) -> bool {
    response["statusCode"].as_u64().is_some_and(|status| (200..300).contains(&status))
}

/// Returns `true` for a response of a Lambda authorizer that allows the request.
fn is_allowed(response: &Value) -> bool {
    response["policyDocument"]["Statement"][0]["Effect"] == "Allow"
}

/// Returns `true` for a batch response without failures, and for the empty response of a function that does not report
/// them.
fn is_handled(response: &Value) -> bool {
    response["batchItemFailures"].as_array().is_none_or(Vec::is_empty)
}

/// Returns the API Gateway event for a route (Amazon API Gateway, "Input format of a Lambda function for proxy
/// integration"), or `None` if the route needs a request body that is not defined here.
fn request(route: &Route) -> Option<Value> {
    let Route { method, path } = route;
    let body = match (method.as_str(), path.as_str()) {
        ("GET" | "DELETE" | "OPTIONS", _) | ("POST", "/orders/{orderId}/cancel") => Value::Null,
        ("POST", "/me/email-confirmation") => json!({"token": CONFIRMATION_TOKEN}),
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
    let multi_value_headers: serde_json::Map<_, _> =
        headers.as_object()?.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let request_path = path.replace("{productId}", PRODUCT).replace("{orderId}", ORDER);
    Some(json!({
        "resource": path, "path": request_path, "httpMethod": method, "headers": headers,
        "multiValueHeaders": multi_value_headers,
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"productId": PRODUCT, "orderId": ORDER}, "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000", "apiId": "abcdefghij", "resourceId": "abc123", "resourcePath": path,
            "httpMethod": method, "path": format!("/v1{request_path}"), "stage": "v1", "protocol": "HTTP/1.1",
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

/// Returns the event that SES publishes to EventBridge about an e-mail from notify-customer.
fn email_sent() -> Value {
    let digest = "5f2ab3c1d0e94f7b8a6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a";
    let tags = json!({ "ses:configuration-set": ["ferrite-bench"], "record": [digest] });
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eab", "detail-type": "Email Sent", "source": "aws.ses",
        "account": "000000000000", "time": "2026-11-22T22:00:00Z", "region": "us-east-1", "resources": [],
        "detail": { "eventType": "Send", "mail": { "messageId": "0100019", "tags": tags }, "send": {} },
    })
}

/// Returns the event that SES publishes to EventBridge about a hard bounce.
fn email_bounced() -> Value {
    let mut event = email_sent();
    event["detail-type"] = "Email Bounced".into();
    event["detail"]["eventType"] = "Bounce".into();
    event["detail"]["mail"]["destination"] = json!(["ada@example.com"]);
    event["detail"]["bounce"] = json!({
        "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-22T22:00:00.000Z",
        "bouncedRecipients": [{"emailAddress": "ada@example.com", "action": "failed", "status": "5.1.1"}],
    });
    event
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
    fn each_invocation_has_its_own_idempotency_key() {
        for function in functions() {
            // ./scripts/bench reports functions without an event.
            let Some(invocation) = invocation(&function, "") else { continue };
            let events: BTreeSet<_> = (0..3).map(|number| invocation.event(number)).collect();
            let event: Value = serde_json::from_str(&invocation.event(7)).unwrap();
            let has_key = function.route.is_some() || event["Records"][0]["messageId"].is_string();
            assert_eq!(events.len(), if has_key { 3 } else { 1 }, "{}", function.name);
            let single_value = &event["headers"]["Idempotency-Key"];
            let multi_value = &event["multiValueHeaders"]["Idempotency-Key"][0];
            assert_eq!(single_value, multi_value, "{}", function.name);
        }
    }

    #[test]
    fn returns_a_request_for_known_routes_only() {
        let route = Route { method: "PATCH".to_owned(), path: "/products/{productId}".to_owned() };
        let event = request(&route).unwrap();
        assert_eq!(event["path"], format!("/products/{PRODUCT}"));
        assert_eq!(event["body"], r#"{"stock":5}"#);
        assert!(request(&Route { method: "PUT".to_owned(), path: "/unknown".to_owned() }).is_none());
    }

    #[test]
    fn rejects_responses_that_report_a_failure() {
        for (check, success, failure) in [
            (is_success as fn(&Value) -> bool, json!({"statusCode": 201}), json!({"statusCode": 404})),
            (is_handled, json!({"batchItemFailures": []}), json!({"batchItemFailures": [{"itemIdentifier": "1"}]})),
            (is_handled, Value::Null, json!({"batchItemFailures": [{"itemIdentifier": ""}]})),
            (is_allowed, json!({"policyDocument": {"Statement": [{"Effect": "Allow"}]}}), json!({})),
        ] {
            let invocation = Invocation::new(Value::Null, check);
            assert!(invocation.succeeded(success.to_string().as_bytes()), "{success}");
            assert!(!invocation.succeeded(failure.to_string().as_bytes()), "{failure}");
        }
    }
}
