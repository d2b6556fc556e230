//! Tests of the log lines that the functions write.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::function_log::{LogLine, lines_of, lines_with};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

#[test]
fn all_functions_that_handle_an_order_log_its_correlation_and_trace_ids() {
    let api = Api::storefront();
    let ada = unique("ada");
    let correlation_id = unique("checkout");
    let product = api.create_product(5);
    let body = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let request = api.as_user(&ada, "POST", "/orders").header("Idempotency-Key", "k1").json(&body);
    let placed = request.header("X-Correlation-Id", &correlation_id).send();
    assert_eq!((placed.status, placed.header("x-correlation-id")), (202, &*correlation_id));

    let lines = |function: &str| lines_of(&api.function(function), &correlation_id);
    let handled = wait_for("the lines of process-order and relay-events", || {
        let [relayed, processed] = ["relay-events", "process-order"].map(lines);
        (processed.len() == 1 && relayed.len() >= 2).then(|| [relayed, processed].concat())
    });
    let [line] = &lines("place-order")[..] else { panic!("expected one line of place-order") };
    let line = line.json();
    let trace_id = line["xray_trace_id"].as_str().unwrap();
    let order_id = line["order_id"].as_str().unwrap();
    assert_eq!(line["OrdersPlaced"], json!([1.0]));
    for line in handled.iter().map(LogLine::json) {
        let events = line["events"].as_array().unwrap();
        let event = events.iter().find(|event| event["correlation_id"] == *correlation_id).unwrap();
        assert_eq!(event["xray_trace_id"], trace_id, "the line has another trace id: {line}");
        assert!(event["event_id"].as_str().unwrap().starts_with(order_id), "{line}");
    }
}

/// The alarm of `authorize` reads the metric `Failed`.
#[test]
fn authorize_counts_invalid_tokens_and_failures_separately() {
    let api = Api::storefront();
    assert_eq!(api.request("GET", "/orders").token(&unique("invalid")).send().status, 401);
    let rejected = wait_for("the log line of a rejected token", || authorize_line(&api, "the event was rejected"));
    assert_eq!((&rejected["Refused"], &rejected["Failed"]), (&json!([1.0]), &Value::Null));

    // The event of a TOKEN authorizer.
    let event = json!({"type": "TOKEN", "methodArn": "arn", "authorizationToken": "Bearer x"});
    Aws::under_test().invoke(&api.function("authorize"), &event);
    let failed = wait_for("the log line of the failure", || authorize_line(&api, "the event failed"));
    assert_eq!((&failed["Refused"], &failed["Failed"]), (&Value::Null, &json!([1.0])));
    let dimensions = &failed["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    assert_eq!(dimensions, &json!([["function_name", "service"]]));
    assert_eq!((&failed["function_name"], &failed["service"]), (&json!(api.function("authorize")), &json!(api.stack())));
}

/// A log line of `authorize` with this message.
fn authorize_line(api: &Api, message: &str) -> Option<Value> {
    lines_of(&api.function("authorize"), message).first().map(LogLine::json)
}

#[test]
fn a_successful_request_logs_one_line_without_personal_data_or_tokens() {
    let api = Api::storefront();
    let correlation_id = unique("create");
    let secret = unique("secret");
    let token = api.token("admin", &[ferrite_application_tools::scopes::ADMIN_SCOPE]);
    let body = json!({
        "name": "Assam", "description": format!("ask {secret}@example.com"), "stock": 1,
        "price": {"amount": 1250, "currency": "EUR"},
    });
    let request = api.request("POST", "/products").token(&token).json(&body).header("X-Correlation-Id", &correlation_id);
    assert_eq!(request.send().status, 201);

    let lines =
        wait_for("the log line of the request", || Some(lines_with(&correlation_id)).filter(|lines| !lines.is_empty()));
    assert_eq!(lines.len(), 1, "{lines:?}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in [secret.as_str(), signature] {
        assert_eq!(lines_with(secret), [], "{secret} is in the log");
    }
}
