//! Tests of `./scripts/redrive` on the dead-letter queues of the stack.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::Queues;
use ferrite_test_harness::redrive::{find_in_list, list, redrive, send_back};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::json;

#[test]
fn lists_a_poison_message_with_its_reason_and_sends_it_back() {
    let api = Api::storefront();
    let poison = unique("poison");
    Queues::under_test().send(api.output("OrdersQueueUrl"), &poison);
    let letter = find_in_list(&api, "OrdersDlq", &poison);
    assert!(letter.reason.contains("not a known event"), "{letter:?}");

    send_back(&api, "OrdersDlq", &letter.id);
    let again = find_in_list(&api, "OrdersDlq", &poison);
    assert_ne!(again.id, letter.id, "process-order has not received the message again");
    assert!(again.reason.contains("not a known event"), "{again:?}");
    Queues::under_test().find(api.output("OrdersDlqUrl"), &poison);
}

#[test]
fn sends_back_the_event_of_a_failed_invocation() {
    let api = Api::storefront();
    let day = "2019-03-01";
    // The invocation record that Lambda sends after three failed attempts ("Capturing records of Lambda asynchronous
    // invocations"), for example during an outage of S3.
    let record = json!({
        "version": "1.0",
        "requestContext": {"requestId": unique("request"), "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": {"day": day},
        "responsePayload": {"errorType": "Failed", "errorMessage": "PutObject: ServiceUnavailable"},
    });
    Queues::under_test().send(api.output("ReportSalesDlqUrl"), &record.to_string());
    let letter = find_in_list(&api, "ReportSalesDlq", day);
    assert!(letter.reason.contains("RetriesExhausted: PutObject: ServiceUnavailable"), "{letter:?}");
    let unknown = redrive(&api, &["ReportSalesDlq", "no-such-message"]);
    assert!(!unknown.status.success());

    send_back(&api, "ReportSalesDlq", &letter.id);
    let sdk = Sdk::under_test();
    let s3 = sdk.s3();
    wait_for("the sales report", || {
        let report = s3.head_object().bucket(api.output("ReportBucketName")).key(format!("sales/{day}.json"));
        sdk.block_on(report.send()).ok()
    });
    let list = list(&api, "ReportSalesDlq");
    assert!(!list.contains(&letter.id), "{list}");
}
