//! Tests of `./scripts/redrive` on the dead-letter queues of the stack.

use ferrite_test_harness::function_log::lines_of;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::Queues;
use ferrite_test_harness::redrive::{find_in_list, list, redrive, send_back};
use ferrite_test_harness::unique;
use serde_json::json;

use crate::stack::api;

#[test]
fn lists_a_poison_message_with_its_reason_and_sends_it_back() {
    let api = api();
    let queues = Queues::under_test();
    let poison = unique("poison");
    queues.send(api.output("MessagesQueueUrl"), &poison);
    let letter = find_in_list(&api, "MessagesDlq", &poison);
    assert!(letter.reason.contains("expected"), "{letter:?}");

    // Another test may have received the message, which hides it until its visibility timeout ends.
    send_back(&api, "MessagesDlq", &letter.id);
    let again = find_in_list(&api, "MessagesDlq", &poison);
    assert_ne!(again.id, letter.id, "consume-message has not received the message again");
    assert!(again.reason.contains("expected"), "{again:?}");
    queues.find(api.output("MessagesDlqUrl"), &poison);
}

#[test]
fn sends_back_the_event_of_a_failed_invocation() {
    let api = api();
    let [job, request] = ["job", "request"].map(unique);
    // The invocation record that Lambda sends after three failed attempts ("Capturing records of Lambda asynchronous
    // invocations"), for example during an outage.
    let record = json!({
        "version": "1.0",
        "requestContext": {"requestId": request, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": {"job": job},
        "responsePayload": {"errorType": "Failed", "errorMessage": "PutObject: ServiceUnavailable"},
    });
    Queues::under_test().send(api.output("RunJobDlqUrl"), &record.to_string());
    let letter = find_in_list(&api, "RunJobDlq", &request);
    assert!(letter.reason.contains("RetriesExhausted: PutObject: ServiceUnavailable"), "{letter:?}");
    assert!(!redrive(&api, &["RunJobDlq", "no-such-message"]).status.success());

    send_back(&api, "RunJobDlq", &letter.id);
    wait_for("the job to finish", || lines_of(&api.function("run-job"), &job).pop());
    let list = list(&api, "RunJobDlq");
    assert!(!list.contains(&letter.id), "{list}");
}
