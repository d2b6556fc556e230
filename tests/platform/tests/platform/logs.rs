//! Tests of the log lines that the functions write.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::function_log::{LogLine, lines_of, lines_with};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use serde_json::{Value, json};

use crate::stack::api;

#[test]
fn a_successful_request_logs_one_line_without_its_body_or_token() {
    let api = api();
    let correlation_id = unique("create");
    let secret = unique("secret");
    let token = api.token("ada", &["texts:write"]);
    let body = json!({"text": format!("ask {secret}@example.com"), "copies": 1, "author": {"name": "Ada"}});
    let request = api.request("POST", "/texts").token(&token).json(&body).header("X-Correlation-Id", &correlation_id);
    let response = request.send();
    assert_eq!((response.status, response.header("x-correlation-id")), (201, correlation_id.as_str()));

    let lines =
        wait_for("the log line of the request", || Some(lines_with(&correlation_id)).filter(|lines| !lines.is_empty()));
    assert_eq!(lines.len(), 1, "{lines:?}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in [secret.as_str(), signature] {
        assert_eq!(lines_with(secret), [], "{secret} is in the log");
    }
    let line = lines[0].json();
    let function = api.function("echo-text");
    let expected = [
        ("level", "INFO"),
        ("service", &api.stack().name),
        ("function_name", &function),
        ("correlation_id", &correlation_id),
        ("path", "/texts"),
        ("method", "POST"),
    ];
    for (key, value) in expected {
        assert_eq!(line[key], value, "{key}: {line}");
    }
    for key in ["timestamp", "message", "function_request_id", "xray_trace_id", "duration_ms"] {
        assert!(!line[key].is_null(), "{key}: {line}");
    }
    assert_eq!(line["status"], 201);
}

#[test]
fn a_failed_request_logs_its_cause() {
    let api = api();
    for outcome in ["internal", "unavailable", "panic"] {
        let correlation_id = unique("failed");
        let request = api.request("GET", &format!("/requests?outcome={outcome}"));
        assert!(request.header("X-Correlation-Id", &correlation_id).send().status >= 500);
        let failed = wait_for("the log line with the cause", || {
            let lines = lines_of(&api.function("describe-request"), &correlation_id);
            lines.into_iter().find(|line| line.text.contains("the secret cause"))
        });
        assert_eq!(failed.json()["level"], "ERROR", "{failed:?}");
    }
}

/// The alarm of `authorize` reads the metric `Failed`.
#[test]
fn authorize_counts_invalid_tokens_and_failures_separately() {
    let api = api();
    assert_eq!(api.request("GET", "/caller").token(&unique("invalid")).send().status, 401);
    let rejected = wait_for("the log line of a rejected token", || authorize_line(&api, "the event was rejected"));
    assert_eq!((&rejected["Refused"], &rejected["Failed"]), (&json!([1.0]), &Value::Null));

    // The event of a TOKEN authorizer.
    let event = json!({"type": "TOKEN", "methodArn": "arn", "authorizationToken": "Bearer x"});
    Aws::under_test().invoke(&api.function("authorize"), &event);
    let failed = wait_for("the log line of the failure", || authorize_line(&api, "the event failed"));
    assert_eq!((&failed["Refused"], &failed["Failed"]), (&Value::Null, &json!([1.0])));
    let dimensions = &failed["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    assert_eq!(dimensions, &json!([["function_name", "service"]]));
    let expected = (&json!(api.function("authorize")), &json!(api.stack().name));
    assert_eq!((&failed["function_name"], &failed["service"]), expected);
}

/// A log line of `authorize` with this message.
fn authorize_line(api: &Api, message: &str) -> Option<Value> {
    lines_of(&api.function("authorize"), message).first().map(LogLine::json)
}
