//! Tests of the log lines that the functions write.
//!
//! The lines are in a file that the emulator writes. `./scripts/test` skips these tests, with a note, where there is no
//! such file.

use ferrite_tests::api::Api;
use ferrite_tests::aws::Aws;
use ferrite_tests::poll::wait_for;
use serde_json::{Value, json};

use crate::unique;

/// The log lines that contain `text`, each with the name of the function that wrote it.
pub(crate) fn lines_with(text: &str) -> Vec<(String, String)> {
    let log = std::env::var_os("FERRITE_FUNCTIONS_LOG").expect("./scripts/test sets FERRITE_FUNCTIONS_LOG");
    let log = std::fs::read_to_string(log).expect("the functions' log is readable");
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let field = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let lines = entries.map(|entry| (field(&entry, "function"), field(&entry, "line")));
    lines.filter(|(_, line)| line.contains(text)).collect()
}

/// The lines of the functions whose deployed name ends with `function`.
fn lines_of<'a>(lines: &'a [(String, String)], function: &str) -> Vec<&'a str> {
    lines.iter().filter(|(name, _)| name.ends_with(function)).map(|(_, line)| line.as_str()).collect()
}

#[test]
fn all_functions_that_handle_an_order_log_its_correlation_and_trace_ids() {
    let api = Api::under_test();
    let ada = unique("ada");
    let correlation_id = unique("checkout");
    let product = api.create_product(5);
    let body = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let request = api.customer(&ada, "POST", "/orders").header("Idempotency-Key", "k1").json(&body);
    let placed = request.header("X-Correlation-Id", &correlation_id).send();
    assert_eq!((placed.status, placed.header("x-correlation-id")), (202, &*correlation_id));

    let lines = wait_for("the lines of process-order and relay-events", || {
        let lines = lines_with(&correlation_id);
        (lines_of(&lines, "-process-order").len() == 1 && lines_of(&lines, "-relay-events").len() >= 2).then_some(lines)
    });
    let [line] = lines_of(&lines, "-place-order")[..] else { panic!("expected one line of place-order: {lines:?}") };
    let line: Value = serde_json::from_str(line).unwrap();
    let trace_id = line["xray_trace_id"].as_str().unwrap();
    let order_id = line["order_id"].as_str().unwrap();
    assert_eq!(line["OrdersPlaced"], json!([1.0]));
    for function in ["-relay-events", "-process-order"] {
        for line in lines_of(&lines, function) {
            let line: Value = serde_json::from_str(line).unwrap();
            let events = line["events"].as_array().unwrap();
            let event = events.iter().find(|event| event["correlation_id"] == *correlation_id).unwrap();
            assert_eq!(event["xray_trace_id"], trace_id, "the line has another trace id: {line}");
            assert!(event["event_id"].as_str().unwrap().starts_with(order_id), "{line}");
        }
    }
}

/// The alarm of `authorize` reads the metric `Failed`.
#[test]
fn authorize_counts_invalid_tokens_and_failures_separately() {
    let api = Api::under_test();
    assert_eq!(api.request("GET", "/orders").token(&unique("invalid")).send().status, 401);
    let rejected = wait_for("the log line of a rejected token", || authorize_line("the event was rejected"));
    assert_eq!((&rejected["Refused"], &rejected["Failed"]), (&json!([1.0]), &Value::Null));

    // The event of a TOKEN authorizer.
    let event = json!({"type": "TOKEN", "methodArn": "arn", "authorizationToken": "Bearer x"});
    Aws::under_test().invoke(&format!("{}-authorize", api.output("BusName")), &event);
    let failed = wait_for("the log line of the failure", || authorize_line("the event failed"));
    assert_eq!((&failed["Refused"], &failed["Failed"]), (&Value::Null, &json!([1.0])));
    let dimensions = &failed["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    assert_eq!(dimensions, &json!([["function_name", "service"]]));
    assert_eq!(
        (&failed["function_name"], &failed["service"]),
        (&json!(format!("{}-authorize", api.output("BusName"))), &json!(api.output("BusName")))
    );
}

/// A log line of `authorize` with this message.
fn authorize_line(message: &str) -> Option<Value> {
    let (_, line) = lines_with(message).into_iter().find(|(name, _)| name.ends_with("-authorize"))?;
    serde_json::from_str(&line).ok()
}

#[test]
fn a_successful_request_logs_one_line_without_personal_data_or_tokens() {
    let api = Api::under_test();
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
