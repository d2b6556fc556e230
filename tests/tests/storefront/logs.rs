//! Tests of the log lines that the functions write.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::function_log::{LogLine, lines_of};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::json;

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
