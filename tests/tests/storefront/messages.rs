//! Tests of queue messages and stream records that are duplicated, malformed or refer to items that do not exist.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::cleanup::record_partition;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

/// An event as an EventBridge rule delivers it.
fn event(kind: &str, data: &Value) -> Value {
    json!({"version": "0", "source": "ferrite.storefront", "detail-type": kind, "detail": {
        "specversion": "1.0", "id": unique("event"), "source": "ferrite.storefront", "subject": "x",
        "time": "2026-11-22T22:00:00Z", "type": kind, "data": data,
    }})
}

#[test]
fn sends_invalid_messages_to_the_dead_letter_queue_and_processes_the_others() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let queue = api.output("OrdersQueueUrl");
    let dlq = api.output("OrdersDlqUrl");
    let malformed = unique("nonsense");
    let unknown_type = unique("future");
    let unknown_customer = unique("nobody");
    let money = json!({"amount": 1, "currency": "EUR"});
    let unknown_order = json!({"orderId": "ord_0192f0c1a2b37c4d8e5f60718293a4b5", "customerId": unknown_customer, "lines": [], "total": money});

    queues.send(queue, &format!("not json: {malformed}"));
    queues.send(queue, &event("ferrite.order.placed.v9", &json!({"note": unknown_type})).to_string());
    queues.send(queue, &event("ferrite.order.placed.v1", &unknown_order).to_string());
    let ada = unique("ada");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    wait_for("the valid order to be paid", || {
        let order = api.as_user(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });

    assert!(reason(&queues.find(dlq, &malformed)).contains("not a known event"));
    assert!(reason(&queues.find(dlq, &unknown_type)).contains("ferrite.order.placed.v9"));
    assert!(reason(&queues.find(dlq, &unknown_customer)).contains("there is no order"));
}

#[test]
fn each_consumer_has_a_dead_letter_queue() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    for (queue, dlq, expected) in [
        ("NotificationsQueueUrl", "NotificationsDlqUrl", "not a known event"),
        ("ConfirmationsQueueUrl", "ConfirmationsDlqUrl", "expected"),
        ("EmailFeedbackQueueUrl", "EmailFeedbackDlqUrl", "expected"),
    ] {
        let malformed = unique("nonsense");
        queues.send(api.output(queue), &malformed);
        let message = queues.find(api.output(dlq), &malformed);
        assert!(reason(&message).contains(expected), "{}", reason(&message));
    }
}

#[test]
fn handles_a_duplicate_event_once() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let ada = unique("ada");
    let product = api.create_product(5);
    let placed = api.place_order(&ada, "k", &product, 2, "tok_declined");
    let id = placed.json()["id"].clone();
    let failed_order = || {
        let order = api.as_user(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "payment_failed").then_some(order)
    };
    let order = wait_for("the payment to fail", failed_order);

    let duplicate =
        json!({"orderId": id, "customerId": ada, "lines": placed.json()["lines"], "total": placed.json()["total"]});
    let queue = api.output("OrdersQueueUrl");
    queues.send(queue, &event("ferrite.order.placed.v1", &duplicate).to_string());
    // Send a malformed message after it: once that is in the dead-letter queue, the duplicate was or is about to be
    // handled.
    let marker = unique("marker");
    queues.send(queue, &marker);
    queues.find(api.output("OrdersDlqUrl"), &marker);
    assert_eq!(failed_order(), Some(order));
    assert_eq!(api.product(&product)["stock"], 5, "the stock is returned once");
}

#[test]
fn sends_notifications_about_unknown_objects_to_the_dead_letter_queue() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let sdk = Sdk::under_test();
    let s3 = sdk.s3();
    let key = unique("uploads/holiday pictures");
    let put = s3.put_object().bucket(api.output("ImageBucketName")).key(&key).body(b"x".to_vec().into());
    sdk.block_on(put.send()).unwrap();
    let (_, name) = key.split_once(' ').unwrap();
    assert!(reason(&queues.find(api.output("ImagesDlqUrl"), name)).contains("key"));
}

#[test]
fn an_invalid_stream_record_goes_to_the_dead_letter_queue_without_blocking_the_stream() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let sdk = Sdk::under_test();
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let invalid_key = unique("ORDER#poison");
    let put = sdk.dynamodb().put_item().table_name(api.output("TableName"));
    record_partition("CUSTOMER#nobody");
    sdk.block_on(put.item("pk", text("CUSTOMER#nobody")).item("sk", text(&invalid_key)).send()).unwrap();

    let ada = unique("ada");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    wait_for("the valid order to be paid", || {
        let order = api.as_user(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });
    assert!(reason(&queues.find(api.output("RelayDlqUrl"), &invalid_key)).contains("does not match its key"));
}
