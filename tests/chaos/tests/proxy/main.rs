//! Tests the effect of each fault on the calling function and on the emulator.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but clippy does not treat helper functions as tests"
)]

mod emulator;
mod function;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use ferrite_aws_proxy::call::{Operation, Service};
use ferrite_chaos::fault_counts::FaultCounts;
use ferrite_chaos::faults::{FaultKind, FaultPlan};
use ferrite_chaos::mutation::{Mutation, Writes};
use ferrite_chaos::proxy::FaultProxy;
use http::StatusCode;
use serde_json::{Value, json};

use self::emulator::{FakeEmulator, ReceivedRequest};
use self::function::{Outcome, relay_events, send, signed, targeted, try_send};

/// A plan that injects this kind of fault into every call that supports it.
fn always(kind: FaultKind) -> FaultPlan {
    FaultPlan::new(1).rate(kind, 1.0).delays(1..=1)
}

async fn start_with_faults(plan: FaultPlan) -> (FakeEmulator, FaultProxy) {
    let emulator = FakeEmulator::start().await;
    let proxy = FaultProxy::open(0, emulator.address, plan).await.unwrap();
    proxy.set_functions(relay_events());
    proxy.set_faults(true);
    (emulator, proxy)
}

/// Waits until the emulator has received a request, and returns the first one.
async fn wait_for_request(emulator: &FakeEmulator) -> ReceivedRequest {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(request) = emulator.requests().first() {
            return request.clone();
        }
        tokio::task::yield_now().await;
    }
    panic!("the emulator received no request");
}

fn events(count: usize) -> String {
    let entry =
        |n| json!({"EventBusName": "bus", "Source": "app", "DetailType": "created", "Detail": format!("{{\"n\":{n}}}")});
    json!({ "Entries": (0..count).map(entry).collect::<Vec<_>>() }).to_string()
}

#[tokio::test]
async fn forwards_calls_unchanged_while_faults_are_off() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::CutBefore)).await;
    proxy.set_faults(false);
    let object = vec![0xff; 10 << 20];
    let put = signed("s3", "PUT", "/bucket/uploads%2Fa%20b?x-id=PutObject").header("host", "other.name:4567");
    let response = try_send(&proxy, put, object.clone().into()).await.unwrap();
    assert_eq!(response.body(), &object, "the response of the emulator");
    assert_eq!(response.headers()["x-amzn-requestid"], "from-the-emulator");
    let request = wait_for_request(&emulator).await;
    assert_eq!(request.request_line, "PUT /bucket/uploads%2Fa%20b?x-id=PutObject");
    assert_eq!(request.headers["host"], "other.name:4567");
    assert!(request.headers["authorization"].to_str().unwrap().ends_with("Signature=00"));
    assert_eq!(request.body, object);
    assert_eq!(proxy.fault_counts(), FaultCounts::default());
}

#[tokio::test]
async fn throttles_with_the_error_of_each_service() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Throttle)).await;
    let call = |request| send(&proxy, request, "Action=SendEmail");
    for (target, error_type) in [
        ("DynamoDB_20120810.PutItem", "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        ("AWSEvents.PutEvents", "ThrottlingException"),
        ("AmazonSQS.SendMessage", "com.amazonaws.sqs#RequestThrottled"),
        ("AmazonSSM.GetParameter", "ThrottlingException"),
    ] {
        let response = call(targeted(target)).await;
        assert_eq!(
            (response.status(), &response.json()["__type"]),
            (StatusCode::BAD_REQUEST, &json!(error_type)),
            "{target}"
        );
    }
    for (service, path, status, code) in
        [("ses", "/", 400, "<Code>Throttling</Code>"), ("s3", "/bucket/key", 503, "<Code>SlowDown</Code>")]
    {
        let outcome = call(signed(service, "PUT", path)).await;
        let Outcome::Response(actual_status, body) = outcome else { panic!("{service}: no response") };
        assert_eq!(actual_status, status, "{service}");
        assert!(String::from_utf8_lossy(&body).contains(code), "{service}: {body:?}");
    }
    assert!(emulator.requests().is_empty());
    assert_eq!(proxy.fault_counts().by_kind(), [(FaultKind::Throttle, 6)].into());
    assert_eq!(proxy.fault_counts().by_function(), [("relay-events".to_owned(), 6)].into());
}

#[tokio::test]
async fn internal_error_returns_500_without_executing_the_call() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::InternalError)).await;
    let response = send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.json()["__type"], "com.amazonaws.dynamodb.v20120810#InternalServerError");
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn cut_before_closes_the_connection_without_executing_the_call() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::CutBefore)).await;
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await, Outcome::ConnectionClosed);
    assert!(emulator.requests().is_empty());
    assert_eq!(proxy.fault_counts().by_kind(), [(FaultKind::CutBefore, 1)].into());
    assert!(proxy.fault_counts().unplanned_failures.is_empty());
}

#[tokio::test]
async fn cut_after_executes_the_call_and_loses_the_response() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::CutAfter)).await;
    assert_eq!(send(&proxy, targeted("AWSEvents.PutEvents"), events(2)).await, Outcome::ConnectionClosed);
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(proxy.duplicates().sample(1, 1.0).len(), 2, "the events were published");
    assert_eq!(proxy.fault_counts().by_kind(), [(FaultKind::CutAfter, 1)].into());
    assert!(proxy.fault_counts().unplanned_failures.is_empty());
}

#[tokio::test]
async fn delayed_call_gets_a_response_and_is_counted() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Delay)).await;
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await.status(), StatusCode::OK);
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(proxy.fault_counts().by_kind(), [(FaultKind::Delay, 1)].into());
}

#[tokio::test]
async fn delayed_call_is_executed_even_if_the_caller_has_disconnected() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Delay).delays(500..=500)).await;
    let mut function = TcpStream::connect(proxy.address).unwrap();
    let request = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 2\r\n\r\n{}";
    function.write_all(request.as_bytes()).unwrap();
    drop(function);
    assert_eq!(wait_for_request(&emulator).await.body, "{}");
}

#[tokio::test]
async fn partial_failure_reports_failed_events_and_does_not_publish_them() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Partial)).await;
    let response = send(&proxy, targeted("AWSEvents.PutEvents"), events(10)).await.json();
    let results = response["Entries"].as_array().unwrap();
    let details = |failed: bool| {
        let results = results.iter().enumerate();
        let matching = results.filter(move |(_, result)| result["ErrorCode"].is_string() == failed);
        matching.map(|(n, _)| json!(format!("{{\"n\":{n}}}"))).collect::<Vec<_>>()
    };
    assert_eq!((results.len(), &response["FailedEntryCount"]), (10, &json!(details(true).len())));
    assert!((1..10).contains(&details(true).len()), "{response}");

    let request = wait_for_request(&emulator).await;
    let published: Vec<Value> =
        request.json()["Entries"].as_array().unwrap().iter().map(|entry| entry["Detail"].clone()).collect();
    assert_eq!(published, details(false));
    let authorization = request.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("Credential=ASIA5FEA4F669E564881/"), "{authorization}");
    assert!(!authorization.ends_with("Signature=00"), "the changed request was not signed again: {authorization}");
    let mut recorded: Vec<Value> = proxy.duplicates().sample(1, 1.0).into_iter().map(|event| event.detail.into()).collect();
    recorded.sort_by_key(Value::to_string);
    assert_eq!(recorded, details(false));
}

#[tokio::test]
async fn partial_failure_needs_entries_and_a_known_caller() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Partial)).await;
    let put = || targeted("AWSEvents.PutEvents");
    assert_eq!(send(&proxy, put(), r#"{"Entries":[]}"#).await.json()["FailedEntryCount"], 0);
    proxy.set_functions(Default::default());
    assert_eq!(send(&proxy, put(), events(3)).await.json()["FailedEntryCount"], 0);
    assert_eq!(emulator.requests().len(), 2);
    assert!(proxy.fault_counts().by_kind().is_empty(), "faults that were not injected are not counted");
}

#[tokio::test]
async fn conflict_cancels_a_transaction_with_a_reason_for_each_item() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::Conflict)).await;
    let body = json!({ "TransactItems": [{ "Put": {} }, { "Update": {} }] }).to_string();
    let response = send(&proxy, targeted("DynamoDB_20120810.TransactWriteItems"), body).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let response = response.json();
    assert!(response["__type"].as_str().unwrap().ends_with("#TransactionCanceledException"), "{response}");
    let reasons = response["CancellationReasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().any(|reason| reason["Code"] == "TransactionConflict"), "{response}");
    assert!(emulator.requests().is_empty());

    send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await;
    assert_eq!(emulator.requests().len(), 1, "conflicts apply only to transactions");
}

/// Runs a process that sends one call and waits for the response. Returns the signal that killed it.
async fn signal_during_call(proxy: &FaultProxy) -> Option<i32> {
    let request = r"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 2\r\n\r\n{}";
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; printf '{request}' >&3; read -u 3", proxy.address.port());
    let function = Command::new("bash").args(["-c", &script]).spawn().unwrap();
    tokio::task::spawn_blocking(|| function.wait_with_output().unwrap().status.signal()).await.unwrap()
}

#[tokio::test]
async fn kills_a_function_during_a_call() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::KillBefore)).await;
    assert_eq!(signal_during_call(&proxy).await, Some(9));
    assert!(emulator.requests().is_empty());

    let (emulator, proxy) = start_with_faults(always(FaultKind::KillAfter)).await;
    assert_eq!(signal_during_call(&proxy).await, Some(9));
    assert_eq!(emulator.requests().len(), 1);
    // The fault is counted after the function was killed.
    let deadline = Instant::now() + Duration::from_secs(20);
    while proxy.fault_counts().by_kind().is_empty() && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert_eq!(proxy.fault_counts().by_kind(), [(FaultKind::KillAfter, 1)].into());
}

#[tokio::test]
async fn split_transaction_executes_single_writes_and_every_third_stops_early() {
    let (emulator, proxy) = start_with_faults(FaultPlan::new(1)).await;
    proxy.mutate(Mutation::SplitTransaction);
    let items = json!([{ "Put": {"TableName": "a"} }, { "Update": {"TableName": "b"} }]);
    let body = json!({ "TransactItems": items }).to_string();
    for _ in 0..2 {
        assert_eq!(send(&proxy, targeted(TRANSACT), body.clone()).await.status(), StatusCode::OK);
    }
    assert_eq!(send(&proxy, targeted(TRANSACT), body).await, Outcome::ConnectionClosed);
    let targets: Vec<_> = emulator.requests().into_iter().map(|request| request.headers["x-amz-target"].clone()).collect();
    let put = "DynamoDB_20120810.PutItem";
    let update = "DynamoDB_20120810.UpdateItem";
    assert_eq!(targets, [put, update, put, update, put]);
}

#[tokio::test]
async fn no_deduplication_makes_write_conditions_always_true() {
    let (emulator, proxy) = start_with_faults(FaultPlan::new(1)).await;
    proxy.mutate(Mutation::NoDeduplication(vec![Writes::to_table("ledger".to_owned())]));
    let body = json!({ "TableName": "ledger", "ConditionExpression": "attribute_not_exists(id)" });
    send(&proxy, targeted("DynamoDB_20120810.PutItem"), body.to_string()).await;
    let request = wait_for_request(&emulator).await;
    let condition = request.json()["ConditionExpression"].as_str().unwrap().to_owned();
    assert!(condition.ends_with("OR attribute_exists(x) OR attribute_not_exists(x)"), "{condition}");
    assert!(!request.headers["authorization"].to_str().unwrap().ends_with("Signature=00"));
}

#[tokio::test]
async fn records_writes_to_a_watched_table_even_if_their_response_is_lost() {
    let (_emulator, proxy) = start_with_faults(always(FaultKind::CutAfter)).await;
    proxy.watch("ledger");
    for (target, table) in [("PutItem", "ledger"), ("UpdateItem", "ledger"), ("PutItem", "other"), ("GetItem", "ledger")] {
        let body = json!({ "TableName": table }).to_string();
        send(&proxy, targeted(&format!("DynamoDB_20120810.{target}")), body).await;
    }
    let recorded: Vec<_> = proxy.writes().into_iter().map(|write| write.operation).collect();
    assert_eq!(recorded, ["PutItem", "UpdateItem"]);
}

#[tokio::test]
async fn injects_no_faults_into_uploads_with_presigned_urls() {
    let (emulator, proxy) = start_with_faults(always(FaultKind::CutBefore)).await;
    let put = http::Request::put("/bucket/uploads/a?X-Amz-Credential=x%2F20261101%2Fus-east-1%2Fs3%2Faws4_request");
    assert_eq!(send(&proxy, put, "object").await.status(), StatusCode::OK);
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(proxy.fault_counts().calls, 0);
}

#[tokio::test]
async fn counts_an_unreachable_emulator_as_an_unplanned_failure() {
    let unused_address = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = FaultProxy::open(0, unused_address, FaultPlan::new(1)).await.unwrap();
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await, Outcome::ConnectionClosed);
    let failures = proxy.fault_counts().unplanned_failures;
    assert!(failures.iter().all(|(reason, count)| reason.contains("the emulator") && *count == 1), "{failures:?}");
    assert_eq!(failures.len(), 1);
}

/// Sends `count` calls of an operation, one after the other, and returns their outcomes.
async fn outcomes(proxy: &FaultProxy, target: &str, count: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let body = json!({ "TransactItems": vec![json!({}); 8] }).to_string();
        outcomes.push(send(proxy, targeted(target), body).await);
    }
    outcomes
}

fn plan_with_all_kinds(seed: u64) -> FaultPlan {
    FaultKind::ALL.into_iter().fold(FaultPlan::new(seed).delays(1..=2), |plan, kind| plan.rate(kind, 0.1))
}

const GET: &str = "DynamoDB_20120810.GetItem";
const TRANSACT: &str = "DynamoDB_20120810.TransactWriteItems";

#[tokio::test]
async fn faults_of_an_operation_do_not_depend_on_concurrent_calls() {
    let (_emulator, proxy) = start_with_faults(plan_with_all_kinds(7)).await;
    let sequential = (outcomes(&proxy, GET, 40).await, outcomes(&proxy, TRANSACT, 40).await);

    let (_emulator, second) = start_with_faults(plan_with_all_kinds(7)).await;
    let query = || outcomes(&second, "DynamoDB_20120810.Query", 60);
    let (get, transact, ..) = tokio::join!(outcomes(&second, GET, 40), outcomes(&second, TRANSACT, 40), query(), query());
    assert_eq!((get, transact), sequential);
    let injected = |proxy: &FaultProxy, name| proxy.fault_counts().by_operation()[&Operation::new(Service::DynamoDb, name)];
    assert_eq!(injected(&proxy, "GetItem"), injected(&second, "GetItem"));

    let (_emulator, another_seed) = start_with_faults(plan_with_all_kinds(8)).await;
    assert_ne!(outcomes(&another_seed, TRANSACT, 40).await, sequential.1);
}

#[tokio::test]
async fn calls_while_faults_are_off_do_not_advance_the_plan() {
    let (_emulator, proxy) = start_with_faults(plan_with_all_kinds(7)).await;
    let expected = outcomes(&proxy, TRANSACT, 30).await;

    let (_emulator, second) = start_with_faults(plan_with_all_kinds(7)).await;
    let mut actual = outcomes(&second, TRANSACT, 15).await;
    second.set_faults(false);
    let without_faults = outcomes(&second, TRANSACT, 5).await;
    assert!(without_faults.iter().all(|outcome| outcome.status() == StatusCode::OK));
    second.set_faults(true);
    actual.extend(outcomes(&second, TRANSACT, 15).await);
    assert_eq!(actual, expected);
}
