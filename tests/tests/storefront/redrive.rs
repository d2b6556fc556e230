//! `./scripts/redrive`, as somebody uses it whose stack has dead letters.

use std::process::{Command, Output};

use aws_sdk_s3::config::Builder;
use ferrite_aws::sdk_config;
use ferrite_tests::api::Api;
use ferrite_tests::poll::until;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::messages::Queues;
use crate::unique;

fn redrive(api: &Api, arguments: &[&str]) -> Output {
    let program = std::env::var_os("FERRITE_PROGRAM").expect("./scripts/test says where it is");
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new(program);
    // The bus is called like the stack.
    command.args(["--stack", api.output("BusName")]).args(arguments).current_dir(checkout);
    command.output().expect("it starts")
}

/// The id and the reason of the message in `queue` whose first line contains `text`, as soon as it is listed.
fn listed(api: &Api, queue: &str, text: &str) -> (String, String) {
    until(&format!("{text} to be listed in {queue}"), || {
        let list = String::from_utf8(redrive(api, &[queue]).stdout).unwrap();
        let lines: Vec<&str> = list.lines().collect();
        let at = lines.iter().position(|line| line.contains(text))?;
        let (id, reason) = lines[at - 1].trim_start().split_once("  ")?;
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
fn a_poison_message_is_listed_with_its_reason_and_goes_back_to_its_queue() {
    let (api, poison) = (Api::under_test(), unique("poison"));
    send(api.output("OrdersQueueUrl"), &poison);
    let (id, reason) = listed(&api, "OrdersDlq", &poison);
    assert!(reason.contains("not a known event"), "{reason}");

    // Another test may be looking at it just now, and hides it while it does.
    until("the message to be sent back", || redrive(&api, &["OrdersDlq", &id]).status.success().then_some(()));
    let (again, reason) = listed(&api, "OrdersDlq", &poison);
    assert_ne!(again, id, "process-order has had it again");
    assert!(reason.contains("not a known event"), "{reason}");
    Queues::open().find(api.output("OrdersDlqUrl"), &poison);
}

#[test]
fn an_event_that_a_function_failed_with_is_handled_when_it_is_sent_back() {
    let api = Api::under_test();
    let day = "2019-03-01";
    // As Lambda writes it when a function has failed three times ("Invocation records"), during an outage of S3 for instance.
    let record = json!({
        "version": "1.0",
        "requestContext": {"requestId": unique("request"), "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": {"day": day},
        "responsePayload": {"errorType": "Failed", "errorMessage": "PutObject: ServiceUnavailable"},
    });
    send(api.output("ReportSalesDlqUrl"), &record.to_string());
    let (id, reason) = listed(&api, "ReportSalesDlq", day);
    assert!(reason.contains("RetriesExhausted: PutObject: ServiceUnavailable"), "{reason}");
    let unknown = redrive(&api, &["ReportSalesDlq", "no-such-message"]);
    assert!(!unknown.status.success());

    until("the event to be sent back", || redrive(&api, &["ReportSalesDlq", &id]).status.success().then_some(()));
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let s3 = aws_sdk_s3::Client::from_conf(Builder::from(&config).force_path_style(true).build());
    let runtime = runtime();
    until("the report", || {
        let report = s3.head_object().bucket(api.output("ReportBucketName")).key(format!("sales/{day}.json"));
        runtime.block_on(report.send()).ok()
    });
    let list = String::from_utf8(redrive(&api, &["ReportSalesDlq"]).stdout).unwrap();
    assert!(!list.contains(&id), "{list}");
}
