//! Tests of messages that are malformed, fail, or are duplicated.

use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::function_log::lines_of;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, batch, reason};
use ferrite_test_harness::unique;
use serde_json::{Value, json};

use crate::stack::api;

#[test]
fn sends_malformed_messages_to_the_dead_letter_queue_and_processes_the_others() {
    let api = api();
    let queues = Queues::under_test();
    let queue = api.output("MessagesQueueUrl");
    let [malformed, unknown, valid] = ["malformed", "unknown", "valid"].map(unique);
    queues.send(queue, &format!("not json: {malformed}"));
    queues.send(queue, &json!({"id": unknown, "color": "red"}).to_string());
    queues.send(queue, &json!({"id": valid}).to_string());
    wait_for("the valid message to be handled", || lines_of(&api.function("consume-message"), &valid).pop());

    let dlq = api.output("MessagesDlqUrl");
    assert!(reason(&queues.find(dlq, &malformed)).contains("expected"));
    assert!(reason(&queues.find(dlq, &unknown)).contains("unknown field `color`"));
}

#[test]
fn retries_a_failed_message_and_not_the_others() {
    let api = api();
    let queues = Queues::under_test();
    let queue = api.output("MessagesQueueUrl");
    let [failing, succeeding] = ["failing", "succeeding"].map(unique);
    queues.send(queue, &json!({"id": failing, "failures": 2}).to_string());
    queues.send(queue, &json!({"id": succeeding}).to_string());
    let lines = |id: &str| lines_of(&api.function("consume-message"), &format!("\"task\":\"{id}\""));
    wait_for("the failing message to be handled", || lines(&failing).pop());
    wait_for("the other message to be handled", || lines(&succeeding).pop());
    assert_eq!((lines(&failing).len(), lines(&succeeding).len()), (1, 1));
    assert!(!lines_of(&api.function("consume-message"), &format!("{failing} fails")).is_empty());
}

#[test]
fn handles_a_duplicate_message_once() {
    let api = api();
    let queues = Queues::under_test();
    let queue = api.output("MessagesQueueUrl");
    let duplicate = unique("duplicate");
    queues.send(queue, &json!({"id": duplicate}).to_string());
    let lines = || lines_of(&api.function("consume-message"), &format!("\"task\":\"{duplicate}\""));
    wait_for("the first message to be handled", || lines().pop());
    // Invoke the function, because nothing shows when a duplicate in the queue has been handled.
    let event = batch([json!({"id": duplicate}).to_string()]);
    wait_for("the duplicate to be accepted", || {
        let response = Aws::under_test().invoke_and_wait(&api.function("consume-message"), &event);
        let response: Value = serde_json::from_str(&response.payload).unwrap();
        (response["batchItemFailures"] == json!([])).then_some(())
    });
    assert_eq!(lines().len(), 1);
}

#[test]
fn sends_an_invalid_asynchronous_event_to_the_dead_letter_queue() {
    let api = api();
    let nonsense = unique("nonsense");
    Aws::under_test().invoke(&api.function("run-job"), &json!({ "note": nonsense }));
    let message = Queues::under_test().find(api.output("RunJobDlqUrl"), &nonsense);
    assert!(reason(&message).contains("unknown field `note`"), "{}", reason(&message));
}
