//! Tests that requests and messages which fail during an outage of an AWS service succeed after it.
//!
//! An outage is simulated by denying a permission for a short time. It delays the messages of other tests. Tests of requests
//! that need the permission hold a lock.

use ferrite_test_harness::aws::{Aws, Outage};
use ferrite_test_harness::function_log::lines_of;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::Queues;
use ferrite_test_harness::unique;
use serde_json::json;

use crate::stack::{api, lock_echo_text_table};

#[test]
fn returns_503_during_an_outage_and_accepts_the_same_request_after_it() {
    let _table = lock_echo_text_table();
    let api = api();
    let user = unique("ada");
    let send = || {
        let body = json!({"text": "tea", "copies": 1, "author": {"name": "Ada"}});
        let request = api.with_scopes(&user, &["texts:write"], "POST", "/texts").header("Idempotency-Key", "key");
        request.json(&body).send()
    };
    let outage = Outage::start(Aws::under_test(), &api.function("echo-text"), "dynamodb:PutItem");
    let failed = send();
    drop(outage);
    assert_eq!((failed.status, failed.problem_type().as_str(), failed.header("retry-after")), (503, "unavailable", "1"));
    assert_eq!(send().status, 201);
}

#[test]
fn handles_a_message_after_an_outage() {
    let api = api();
    let function = api.function("consume-message");
    let id = unique("message");
    let outage = Outage::start(Aws::under_test(), &function, "dynamodb:PutItem");
    let message_id = Queues::under_test().send(api.output("MessagesQueueUrl"), &json!({ "id": id }).to_string());
    wait_for("the call to be denied", || {
        let mut lines = lines_of(&function, &message_id).into_iter();
        lines.find(|line| line.text.contains("will be retried") && line.text.contains("not authorized"))
    });
    drop(outage);
    wait_for("the message to be handled", || lines_of(&function, &format!("\"task\":\"{id}\"")).pop());
}
