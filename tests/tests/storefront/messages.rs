//! Tests of queue messages and stream records that are duplicated, malformed or refer to items that do not exist.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use ferrite_aws::sdk_config;
use ferrite_tests::api::Api;
use ferrite_tests::created::Created;
use ferrite_tests::poll::wait_for;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::unique;

/// A blocking client of Amazon SQS.
pub(crate) struct Queues {
    runtime: Runtime,
    client: Client,
}

impl Queues {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, client: Client::new(&sdk_config().expect("./scripts/test sets the AWS_* variables")) }
    }

    pub(crate) fn send(&self, url: &str, body: &str) {
        self.runtime.block_on(self.client.send_message().queue_url(url).message_body(body).send()).unwrap();
    }

    /// Waits for a message whose body contains `text` in the queue at `url`, deletes it from the queue and returns it.
    pub(crate) fn find(&self, url: &str, text: &str) -> Message {
        wait_for(&format!("a message with {text} in {url}"), || {
            let receive = self.client.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(1);
            let received = self.runtime.block_on(receive.message_attribute_names("All").send()).unwrap();
            let found =
                received.messages.unwrap_or_default().into_iter().find(|m| m.body().is_some_and(|b| b.contains(text)))?;
            let delete = self.client.delete_message().queue_url(url).receipt_handle(found.receipt_handle().unwrap());
            self.runtime.block_on(delete.send()).unwrap();
            Some(found)
        })
    }
}

/// The `reason` attribute that the functions add to a dead letter.
pub(crate) fn reason(message: &Message) -> &str {
    message.message_attributes().and_then(|all| all.get("reason")?.string_value()).unwrap_or_default()
}

/// An event as an EventBridge rule delivers it.
fn event(kind: &str, data: &Value) -> Value {
    json!({"version": "0", "source": "ferrite.storefront", "detail-type": kind, "detail": {
        "specversion": "1.0", "id": unique("event"), "source": "ferrite.storefront", "subject": "x",
        "time": "2026-11-22T22:00:00Z", "type": kind, "data": data,
    }})
}

#[test]
fn sends_invalid_messages_to_the_dead_letter_queue_and_processes_the_others() {
    let api = Api::under_test();
    let queues = Queues::open();
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
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });

    assert!(reason(&queues.find(dlq, &malformed)).contains("not a known event"));
    assert!(reason(&queues.find(dlq, &unknown_type)).contains("ferrite.order.placed.v9"));
    assert!(reason(&queues.find(dlq, &unknown_customer)).contains("there is no order"));
}

#[test]
fn each_consumer_has_a_dead_letter_queue() {
    let api = Api::under_test();
    let queues = Queues::open();
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
    let api = Api::under_test();
    let queues = Queues::open();
    let ada = unique("ada");
    let product = api.create_product(5);
    let placed = api.place_order(&ada, "k", &product, 2, "tok_declined");
    let id = placed.json()["id"].clone();
    let failed_order = || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
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
    let api = Api::under_test();
    let queues = Queues::open();
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    let key = unique("uploads/holiday pictures");
    let put = s3.put_object().bucket(api.output("ImageBucketName")).key(&key).body(b"x".to_vec().into());
    queues.runtime.block_on(put.send()).unwrap();
    let (_, name) = key.split_once(' ').unwrap();
    assert!(reason(&queues.find(api.output("ImagesDlqUrl"), name)).contains("key"));
}

#[test]
fn an_invalid_stream_record_goes_to_the_dead_letter_queue_without_blocking_the_stream() {
    let api = Api::under_test();
    let queues = Queues::open();
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let invalid_key = unique("ORDER#poison");
    let put = aws_sdk_dynamodb::Client::new(&config).put_item().table_name(api.output("TableName"));
    Created::Customer("nobody".to_owned()).record();
    queues.runtime.block_on(put.item("pk", text("CUSTOMER#nobody")).item("sk", text(&invalid_key)).send()).unwrap();

    let ada = unique("ada");
    let product = api.create_product(1);
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    wait_for("the valid order to be paid", || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });
    assert!(reason(&queues.find(api.output("RelayDlqUrl"), &invalid_key)).contains("does not match its key"));
}
