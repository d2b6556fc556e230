//! What the functions log of a request and of everything that it leads to.
//!
//! The lines are read from the file that an emulator of `./scripts/test` writes. Where there is none, the suite leaves these
//! tests out and says so.

use ferrite_tests::api::Api;
use ferrite_tests::poll::until;
use serde_json::{Value, json};

use crate::unique;

/// The functions' lines that have `text` in them, each with the name of its function.
pub(crate) fn lines_with(text: &str) -> Vec<(String, String)> {
    let log = std::env::var_os("FERRITE_FUNCTIONS_LOG").expect("./scripts/test sets FERRITE_FUNCTIONS_LOG");
    let log = std::fs::read_to_string(log).expect("the functions' log is readable");
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let field = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let lines = entries.map(|entry| (field(&entry, "function"), field(&entry, "line")));
    lines.filter(|(_, line)| line.contains(text)).collect()
}

fn of<'a>(lines: &'a [(String, String)], function: &str) -> Vec<&'a str> {
    lines.iter().filter(|(name, _)| name.ends_with(function)).map(|(_, line)| line.as_str()).collect()
}

#[test]
fn a_request_can_be_followed_to_the_last_worker() {
    let api = Api::under_test();
    let (ada, correlation_id) = (unique("ada"), unique("checkout"));
    let product = api.create_product(5);
    let body = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let call = api.customer(&ada, "POST", "/orders").header("Idempotency-Key", "k1").json(&body);
    let placed = call.header("X-Correlation-Id", &correlation_id).send();
    assert_eq!((placed.status, placed.header("x-correlation-id")), (202, &*correlation_id));

    let lines = until("the order's worker and the relay of what it decided", || {
        let lines = lines_with(&correlation_id);
        (of(&lines, "-process-order").len() == 1 && of(&lines, "-relay-events").len() >= 2).then_some(lines)
    });
    let [request] = of(&lines, "-place-order")[..] else { panic!("one line of the request in {lines:?}") };
    let request: Value = serde_json::from_str(request).unwrap();
    let (trace, order) = (request["xray_trace_id"].as_str().unwrap(), request["order_id"].as_str().unwrap());
    assert_eq!(request["OrdersPlaced"], json!([1.0]));
    for function in ["-relay-events", "-process-order"] {
        for line in of(&lines, function) {
            let line: Value = serde_json::from_str(line).unwrap();
            let events = line["events"].as_array().unwrap();
            let ours = events.iter().find(|event| event["correlation_id"] == *correlation_id).unwrap();
            assert_eq!(ours["xray_trace_id"], trace, "one trace: {line}");
            assert!(ours["event_id"].as_str().unwrap().starts_with(order), "{line}");
        }
    }
}

#[test]
fn a_request_that_succeeds_writes_one_line_and_nothing_that_is_secret() {
    let api = Api::under_test();
    let (correlation_id, secret) = (unique("create"), unique("secret"));
    let token = api.token("admin", &[ferrite_storefront_tools::scopes::ADMIN_SCOPE]);
    let body = json!({
        "name": "Assam", "description": format!("ask {secret}@example.com"), "stock": 1,
        "price": {"amount": 1250, "currency": "EUR"},
    });
    let call = api.call("POST", "/products").token(&token).json(&body).header("X-Correlation-Id", &correlation_id);
    assert_eq!(call.send().status, 201);

    let lines = until("the request's line", || Some(lines_with(&correlation_id)).filter(|lines| !lines.is_empty()));
    assert_eq!(lines.len(), 1, "{lines:?}");
    let signature = token.rsplit('.').next().unwrap();
    for text in [secret.as_str(), signature] {
        assert_eq!(lines_with(text), [], "{text} is in the log");
    }
}
