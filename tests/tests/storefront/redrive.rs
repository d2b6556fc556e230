//! Tests of `./scripts/redrive` on the dead-letter queues of the stack.

use std::process::{Command, Output};

use aws_sdk_s3::config::Builder;
use ferrite_aws::sdk_config;
use ferrite_tests::api::Api;
use ferrite_tests::poll::wait_for;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::messages::Queues;
use crate::unique;

fn redrive(api: &Api, arguments: &[&str]) -> Output {
    let program = std::env::var_os("FERRITE_PROGRAM").expect("./scripts/test sets FERRITE_PROGRAM");
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new(program);
    // The bus has the same name as the stack.
    command.args(["--stack", api.output("BusName")]).args(arguments).current_dir(checkout);
    command.output().expect("the command starts")
}

/// Waits until the list of `queue` has a message whose first line contains `text`. Returns the id and the reason of it.
fn find_in_list(api: &Api, queue: &str, text: &str) -> (String, String) {
    wait_for(&format!("{text} to be listed in {queue}"), || {
        let list = String::from_utf8(redrive(api, &[queue]).stdout).unwrap();
        let lines: Vec<&str> = list.lines().collect();
        let index = lines.iter().position(|line| line.contains(text))?;
        let (id, reason) = lines[index - 1].trim_start().split_once("  ")?;
        Some((id.to_owned(), reason.to_owned()))
    })
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn send(url: &str, body: &str) {
    let client = aws_sdk_sqs::Client::new(&sdk_config().expect("./scripts/test sets the AWS_* variables"));
    runtime().block_on(client.send_message().queue_url(url).message_body(body).send()).unwrap();
}

#[test]
fn lists_a_poison_message_with_its_reason_and_sends_it_back() {
    let api = Api::under_test();
    let poison = unique("poison");
    send(api.output("OrdersQueueUrl"), &poison);
    let (id, reason) = find_in_list(&api, "OrdersDlq", &poison);
    assert!(reason.contains("not a known event"), "{reason}");

    // Another test may have received the message, which hides it until its visibility timeout ends.
    wait_for("the message to be sent back", || redrive(&api, &["OrdersDlq", &id]).status.success().then_some(()));
    let (new_id, reason) = find_in_list(&api, "OrdersDlq", &poison);
    assert_ne!(new_id, id, "process-order has not received the message again");
    assert!(reason.contains("not a known event"), "{reason}");
    Queues::open().find(api.output("OrdersDlqUrl"), &poison);
}

#[test]
fn sends_back_the_event_of_a_failed_invocation() {
    let api = Api::under_test();
    let day = "2019-03-01";
    // The invocation record that Lambda sends after three failed attempts ("Capturing records of Lambda asynchronous
    // invocations"), for example during an outage of S3.
    let record = json!({
        "version": "1.0",
        "requestContext": {"requestId": unique("request"), "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": {"day": day},
        "responsePayload": {"errorType": "Failed", "errorMessage": "PutObject: ServiceUnavailable"},
    });
    send(api.output("ReportSalesDlqUrl"), &record.to_string());
    let (id, reason) = find_in_list(&api, "ReportSalesDlq", day);
    assert!(reason.contains("RetriesExhausted: PutObject: ServiceUnavailable"), "{reason}");
    let unknown = redrive(&api, &["ReportSalesDlq", "no-such-message"]);
    assert!(!unknown.status.success());

    wait_for("the event to be sent back", || redrive(&api, &["ReportSalesDlq", &id]).status.success().then_some(()));
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let s3 = aws_sdk_s3::Client::from_conf(Builder::from(&config).force_path_style(true).build());
    let runtime = runtime();
    wait_for("the sales report", || {
        let report = s3.head_object().bucket(api.output("ReportBucketName")).key(format!("sales/{day}.json"));
        runtime.block_on(report.send()).ok()
    });
    let list = String::from_utf8(redrive(&api, &["ReportSalesDlq"]).stdout).unwrap();
    assert!(!list.contains(&id), "{list}");
}
