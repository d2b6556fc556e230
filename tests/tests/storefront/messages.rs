//! What comes over the queues: twice, in a bad shape, or about nothing.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use ferrite_aws::sdk_config;
use ferrite_tests::api::Api;
use ferrite_tests::made::Made;
use ferrite_tests::poll::until;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::unique;

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

    /// The message in the queue at `url` whose body contains `text`, taken out of it.
    pub(crate) fn find(&self, url: &str, text: &str) -> Message {
        until(&format!("a dead letter with {text}"), || {
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

pub(crate) fn reason(message: &Message) -> &str {
    message.message_attributes().and_then(|all| all.get("reason")?.string_value()).unwrap_or_default()
}

fn event(kind: &str, data: &Value) -> Value {
    json!({"version": "0", "source": "ferrite.storefront", "detail-type": kind, "detail": {
        "specversion": "1.0", "id": unique("event"), "source": "ferrite.storefront", "subject": "x",
        "time": "2026-11-22T22:00:00Z", "type": kind, "data": data,
    }})
}

#[test]
fn what_can_never_be_handled_goes_to_the_dead_letter_queue_with_the_reason_and_the_rest_goes_through() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let (queue, dlq) = (api.output("OrdersQueueUrl"), api.output("OrdersDlqUrl"));
    let (nonsense, future, lost) = (unique("nonsense"), unique("future"), unique("nobody"));
    let money = json!({"amount": 1, "currency": "EUR"});
    let nowhere =
        json!({"orderId": "ord_0192f0c1a2b37c4d8e5f60718293a4b5", "customerId": lost, "lines": [], "total": money});

    queues.send(queue, &format!("not json: {nonsense}"));
    queues.send(queue, &event("ferrite.order.placed.v9", &json!({"note": future})).to_string());
    queues.send(queue, &event("ferrite.order.placed.v1", &nowhere).to_string());
    let (ada, product) = (unique("ada"), api.create_product(1));
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    until("the good order to be paid", || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });

    assert!(reason(&queues.find(dlq, &nonsense)).contains("not a known event"));
    assert!(reason(&queues.find(dlq, &future)).contains("ferrite.order.placed.v9"));
    assert!(reason(&queues.find(dlq, &lost)).contains("there is no order"));
}

#[test]
fn each_consumer_has_its_dead_letters() {
    let (api, queues) = (Api::under_test(), Queues::open());
    for (queue, dlq, why) in [
        ("NotificationsQueueUrl", "NotificationsDlqUrl", "not a known event"),
        ("ConfirmationsQueueUrl", "ConfirmationsDlqUrl", "expected"),
    ] {
        let nonsense = unique("nonsense");
        queues.send(api.output(queue), &nonsense);
        let message = queues.find(api.output(dlq), &nonsense);
        assert!(reason(&message).contains(why), "{}", reason(&message));
    }
}

#[test]
fn an_event_that_comes_twice_is_handled_once() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let (ada, product) = (unique("ada"), api.create_product(5));
    let placed = api.place_order(&ada, "k", &product, 2, "tok_declined");
    let id = placed.json()["id"].clone();
    let settled = || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "payment_failed").then_some(order)
    };
    let order = until("the payment to fail", settled);

    let again = json!({"orderId": id, "customerId": ada, "lines": placed.json()["lines"], "total": placed.json()["total"]});
    let queue = api.output("OrdersQueueUrl");
    queues.send(queue, &event("ferrite.order.placed.v1", &again).to_string());
    // A dead letter that was sent later shows that the repeated event has been handled by then or soon will be.
    let marker = unique("marker");
    queues.send(queue, &marker);
    queues.find(api.output("OrdersDlqUrl"), &marker);
    assert_eq!(settled(), Some(order));
    assert_eq!(api.product(&product)["stock"], 5, "put back once");
}

#[test]
fn an_object_that_is_no_upload_of_ours_is_put_aside_with_the_reason() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    let key = unique("uploads/holiday pictures");
    let put = s3.put_object().bucket(api.output("ImageBucketName")).key(&key).body(b"x".to_vec().into());
    queues.runtime.block_on(put.send()).unwrap();
    let (_, name) = key.split_once(' ').unwrap();
    assert!(reason(&queues.find(api.output("ImagesDlqUrl"), name)).contains("key"));
}

#[test]
fn a_stream_record_that_is_no_order_is_put_aside_and_holds_up_nothing() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let poison = unique("ORDER#poison");
    let put = aws_sdk_dynamodb::Client::new(&config).put_item().table_name(api.output("TableName"));
    Made::Customer("nobody".to_owned()).note();
    queues.runtime.block_on(put.item("pk", text("CUSTOMER#nobody")).item("sk", text(&poison)).send()).unwrap();

    let (ada, product) = (unique("ada"), api.create_product(1));
    let placed = api.place_order(&ada, "k", &product, 1, "tok_success");
    until("the good order to be paid", || {
        let order = api.customer(&ada, "GET", &placed.location("/orders")).send().json();
        (order["status"] == "paid").then_some(())
    });
    assert!(reason(&queues.find(api.output("RelayDlqUrl"), &poison)).contains("does not match its key"));
}
