//! What a fault does to the function that calls and to the emulator that is called.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
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
use ferrite_chaos::faults::{Kind, Plan};
use ferrite_chaos::mutation::Mutation;
use ferrite_chaos::proxy::FaultProxy;
use http::StatusCode;
use serde_json::{Value, json};

use self::emulator::{Emulator, Seen};
use self::function::{Outcome, relay_events, send, signed, targeted, try_send};

/// A plan in which every call that can meet a fault of this kind does.
fn always(kind: Kind) -> Plan {
    Plan::new(1).rate(kind, 1.0).delays(1..=1)
}

async fn with_faults(plan: Plan) -> (Emulator, FaultProxy) {
    let emulator = Emulator::start().await;
    let proxy = FaultProxy::open(0, emulator.address, plan).await.unwrap();
    proxy.set_functions(relay_events());
    proxy.set_faults(true);
    (emulator, proxy)
}

/// What the emulator has seen as soon as it has seen something.
async fn first_seen(emulator: &Emulator) -> Seen {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(seen) = emulator.seen().first() {
            return seen.clone();
        }
        tokio::task::yield_now().await;
    }
    panic!("the emulator has seen nothing");
}

fn events(count: usize) -> String {
    let entry =
        |n| json!({"EventBusName": "bus", "Source": "shop", "DetailType": "placed", "Detail": format!("{{\"n\":{n}}}")});
    json!({ "Entries": (0..count).map(entry).collect::<Vec<_>>() }).to_string()
}

#[tokio::test]
async fn without_faults_calls_pass_unchanged() {
    let (emulator, proxy) = with_faults(always(Kind::CutBefore)).await;
    proxy.set_faults(false);
    let picture = vec![0xff; 10 << 20];
    let put = signed("s3", "PUT", "/bucket/uploads%2Fa%20b?x-id=PutObject").header("host", "by.another.name:4567");
    let answer = try_send(&proxy, put, picture.clone().into()).await.unwrap();
    assert_eq!(answer.body(), &picture, "the emulator's answer");
    assert_eq!(answer.headers()["x-amzn-requestid"], "of-the-emulator");
    let seen = first_seen(&emulator).await;
    assert_eq!(seen.request, "PUT /bucket/uploads%2Fa%20b?x-id=PutObject");
    assert_eq!(seen.headers["host"], "by.another.name:4567");
    assert!(seen.headers["authorization"].to_str().unwrap().ends_with("Signature=00"));
    assert_eq!(seen.body, picture);
    assert_eq!(proxy.fault_counts(), FaultCounts::default());
}

#[tokio::test]
async fn each_service_throttles_in_its_own_protocol() {
    let (emulator, proxy) = with_faults(always(Kind::Throttle)).await;
    let answer = |request| send(&proxy, request, "Action=SendEmail");
    for (target, kind) in [
        ("DynamoDB_20120810.PutItem", "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        ("AWSEvents.PutEvents", "ThrottlingException"),
        ("AmazonSQS.SendMessage", "com.amazonaws.sqs#RequestThrottled"),
        ("AmazonSSM.GetParameter", "ThrottlingException"),
    ] {
        let answer = answer(targeted(target)).await;
        assert_eq!((answer.status(), &answer.json()["__type"]), (StatusCode::BAD_REQUEST, &json!(kind)), "{target}");
    }
    for (service, path, status, code) in
        [("ses", "/", 400, "<Code>Throttling</Code>"), ("s3", "/bucket/key", 503, "<Code>SlowDown</Code>")]
    {
        let Outcome::Answer(answered, body) = answer(signed(service, "PUT", path)).await else { panic!("{service}") };
        assert_eq!(answered, status, "{service}");
        assert!(String::from_utf8_lossy(&body).contains(code), "{service}: {body:?}");
    }
    assert!(emulator.seen().is_empty());
    assert_eq!(proxy.fault_counts().by_kind(), [(Kind::Throttle, 6)].into());
    assert_eq!(proxy.fault_counts().by_function(), [("relay-events".to_owned(), 6)].into());
}

#[tokio::test]
async fn an_internal_error_is_a_500_and_has_no_effect() {
    let (emulator, proxy) = with_faults(always(Kind::InternalError)).await;
    let answer = send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["__type"], "com.amazonaws.dynamodb.v20120810#InternalServerError");
    assert!(emulator.seen().is_empty());
}

#[tokio::test]
async fn a_call_cut_before_it_was_carried_out_never_reaches_the_emulator() {
    let (emulator, proxy) = with_faults(always(Kind::CutBefore)).await;
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await, Outcome::Broken);
    assert!(emulator.seen().is_empty());
    assert_eq!(proxy.fault_counts().by_kind(), [(Kind::CutBefore, 1)].into());
    assert!(proxy.fault_counts().unplanned.is_empty());
}

#[tokio::test]
async fn a_call_cut_after_it_was_carried_out_loses_only_its_response() {
    let (emulator, proxy) = with_faults(always(Kind::CutAfter)).await;
    assert_eq!(send(&proxy, targeted("AWSEvents.PutEvents"), events(2)).await, Outcome::Broken);
    assert_eq!(emulator.seen().len(), 1);
    assert_eq!(proxy.duplicates().sample(1, 1.0).len(), 2, "the events are on the bus");
    assert_eq!(proxy.fault_counts().by_kind(), [(Kind::CutAfter, 1)].into());
    assert!(proxy.fault_counts().unplanned.is_empty());
}

#[tokio::test]
async fn a_delayed_call_is_answered_and_counted() {
    let (emulator, proxy) = with_faults(always(Kind::Delay)).await;
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await.status(), StatusCode::OK);
    assert_eq!(emulator.seen().len(), 1);
    assert_eq!(proxy.fault_counts().by_kind(), [(Kind::Delay, 1)].into());
}

#[tokio::test]
async fn a_delayed_call_is_carried_out_even_if_its_caller_is_dead() {
    let (emulator, proxy) = with_faults(always(Kind::Delay).delays(500..=500)).await;
    let mut function = TcpStream::connect(proxy.address).unwrap();
    let request = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 2\r\n\r\n{}";
    function.write_all(request.as_bytes()).unwrap();
    drop(function);
    assert_eq!(first_seen(&emulator).await.body, "{}");
}

#[tokio::test]
async fn failed_events_are_not_published_and_are_reported() {
    let (emulator, proxy) = with_faults(always(Kind::Partial)).await;
    let answer = send(&proxy, targeted("AWSEvents.PutEvents"), events(10)).await.json();
    let results = answer["Entries"].as_array().unwrap();
    let details = |failed: bool| {
        let of = results.iter().enumerate().filter(move |(_, result)| result["ErrorCode"].is_string() == failed);
        of.map(|(n, _)| json!(format!("{{\"n\":{n}}}"))).collect::<Vec<_>>()
    };
    assert_eq!((results.len(), &answer["FailedEntryCount"]), (10, &json!(details(true).len())));
    assert!((1..10).contains(&details(true).len()), "{answer}");

    let seen = first_seen(&emulator).await;
    let published: Vec<Value> =
        seen.json()["Entries"].as_array().unwrap().iter().map(|entry| entry["Detail"].clone()).collect();
    assert_eq!(published, details(false));
    let authorization = seen.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("Credential=ASIA5FEA4F669E564881/"), "{authorization}");
    assert!(!authorization.ends_with("Signature=00"), "a changed body takes a signature of its own: {authorization}");
    let mut kept: Vec<Value> = proxy.duplicates().sample(1, 1.0).into_iter().map(|event| event.detail.into()).collect();
    kept.sort_by_key(Value::to_string);
    assert_eq!(kept, details(false));
}

#[tokio::test]
async fn a_batch_fails_in_part_only_where_it_has_entries_and_can_be_signed_again() {
    let (emulator, proxy) = with_faults(always(Kind::Partial)).await;
    let put = || targeted("AWSEvents.PutEvents");
    assert_eq!(send(&proxy, put(), r#"{"Entries":[]}"#).await.json()["FailedEntryCount"], 0);
    proxy.set_functions(Default::default());
    assert_eq!(send(&proxy, put(), events(3)).await.json()["FailedEntryCount"], 0);
    assert_eq!(emulator.seen().len(), 2);
    assert!(proxy.fault_counts().by_kind().is_empty(), "what did not happen is not counted");
}

#[tokio::test]
async fn a_transaction_in_conflict_is_cancelled_with_a_reason_for_each_item() {
    let (emulator, proxy) = with_faults(always(Kind::Conflict)).await;
    let body = json!({ "TransactItems": [{ "Put": {} }, { "Update": {} }] }).to_string();
    let answer = send(&proxy, targeted("DynamoDB_20120810.TransactWriteItems"), body).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer = answer.json();
    assert!(answer["__type"].as_str().unwrap().ends_with("#TransactionCanceledException"), "{answer}");
    let reasons = answer["CancellationReasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().any(|reason| reason["Code"] == "TransactionConflict"), "{answer}");
    assert!(emulator.seen().is_empty());

    send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await;
    assert_eq!(emulator.seen().len(), 1, "nothing but a transaction can be in conflict");
}

/// A function in a process of its own, which makes one call and waits for the answer.
async fn killed_in_a_call(proxy: &FaultProxy) -> Option<i32> {
    let request = r"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 2\r\n\r\n{}";
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; printf '{request}' >&3; read -u 3", proxy.address.port());
    let function = Command::new("bash").args(["-c", &script]).spawn().unwrap();
    tokio::task::spawn_blocking(|| function.wait_with_output().unwrap().status.signal()).await.unwrap()
}

#[tokio::test]
async fn a_function_is_killed_in_the_middle_of_a_call() {
    let (emulator, proxy) = with_faults(always(Kind::KillBefore)).await;
    assert_eq!(killed_in_a_call(&proxy).await, Some(9));
    assert!(emulator.seen().is_empty());

    let (emulator, proxy) = with_faults(always(Kind::KillAfter)).await;
    assert_eq!(killed_in_a_call(&proxy).await, Some(9));
    assert_eq!(emulator.seen().len(), 1);
    // It is counted once it is known to be dead.
    let deadline = Instant::now() + Duration::from_secs(20);
    while proxy.fault_counts().by_kind().is_empty() && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert_eq!(proxy.fault_counts().by_kind(), [(Kind::KillAfter, 1)].into());
}

#[tokio::test]
async fn a_transaction_that_is_split_is_carried_out_write_by_write_and_every_third_stops_half_way() {
    let (emulator, proxy) = with_faults(Plan::new(1)).await;
    proxy.mutate(Mutation::SplitTransaction);
    let items = json!([{ "Put": {"TableName": "a"} }, { "Update": {"TableName": "b"} }]);
    let body = json!({ "TransactItems": items }).to_string();
    for _ in 0..2 {
        assert_eq!(send(&proxy, targeted(TRANSACT), body.clone()).await.status(), StatusCode::OK);
    }
    assert_eq!(send(&proxy, targeted(TRANSACT), body).await, Outcome::Broken);
    let seen: Vec<_> = emulator.seen().into_iter().map(|seen| seen.headers["x-amz-target"].clone()).collect();
    let (put, update) = ("DynamoDB_20120810.PutItem", "DynamoDB_20120810.UpdateItem");
    assert_eq!(seen, [put, update, put, update, put]);
}

#[tokio::test]
async fn without_deduplication_every_write_is_carried_out() {
    let (emulator, proxy) = with_faults(Plan::new(1)).await;
    proxy.mutate(Mutation::NoDeduplication(vec!["ledger".to_owned()]));
    let body = json!({ "TableName": "ledger", "ConditionExpression": "attribute_not_exists(orderId)" });
    send(&proxy, targeted("DynamoDB_20120810.PutItem"), body.to_string()).await;
    let seen = first_seen(&emulator).await;
    let condition = seen.json()["ConditionExpression"].as_str().unwrap().to_owned();
    assert!(condition.ends_with("OR attribute_exists(x) OR attribute_not_exists(x)"), "{condition}");
    assert!(!seen.headers["authorization"].to_str().unwrap().ends_with("Signature=00"));
}

#[tokio::test]
async fn keeps_writes_to_a_table_even_if_their_response_is_lost() {
    let (_emulator, proxy) = with_faults(always(Kind::CutAfter)).await;
    proxy.watch("ledger");
    for (target, table) in [("PutItem", "ledger"), ("UpdateItem", "ledger"), ("PutItem", "orders"), ("GetItem", "ledger")] {
        let body = json!({ "TableName": table }).to_string();
        send(&proxy, targeted(&format!("DynamoDB_20120810.{target}")), body).await;
    }
    let kept: Vec<_> = proxy.writes().into_iter().map(|write| write.operation).collect();
    assert_eq!(kept, ["PutItem", "UpdateItem"]);
}

#[tokio::test]
async fn uploads_by_presigned_url_meet_no_fault() {
    let (emulator, proxy) = with_faults(always(Kind::CutBefore)).await;
    let put = http::Request::put("/bucket/uploads/a?X-Amz-Credential=x%2F20261101%2Fus-east-1%2Fs3%2Faws4_request");
    assert_eq!(send(&proxy, put, "picture").await.status(), StatusCode::OK);
    assert_eq!(emulator.seen().len(), 1);
    assert_eq!(proxy.fault_counts().calls, 0);
}

#[tokio::test]
async fn an_emulator_that_is_gone_counts_as_an_unplanned_fault() {
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = FaultProxy::open(0, nobody, Plan::new(1)).await.unwrap();
    assert_eq!(send(&proxy, targeted("DynamoDB_20120810.PutItem"), "{}").await, Outcome::Broken);
    let unplanned = proxy.fault_counts().unplanned;
    assert!(unplanned.iter().all(|(reason, count)| reason.contains("the emulator") && *count == 1), "{unplanned:?}");
    assert_eq!(unplanned.len(), 1);
}

/// What `count` calls of an operation end with, one after the other.
async fn outcomes(proxy: &FaultProxy, target: &str, count: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let body = json!({ "TransactItems": vec![json!({}); 8] }).to_string();
        outcomes.push(send(proxy, targeted(target), body).await);
    }
    outcomes
}

fn of_each_kind(seed: u64) -> Plan {
    Kind::ALL.into_iter().fold(Plan::new(seed).delays(1..=2), |plan, kind| plan.rate(kind, 0.1))
}

const GET: &str = "DynamoDB_20120810.GetItem";
const TRANSACT: &str = "DynamoDB_20120810.TransactWriteItems";

#[tokio::test]
async fn the_same_seed_gives_each_operation_the_same_faults_whatever_runs_concurrently() {
    let (_emulator, proxy) = with_faults(of_each_kind(7)).await;
    let one_by_one = (outcomes(&proxy, GET, 40).await, outcomes(&proxy, TRANSACT, 40).await);

    let (_emulator, again) = with_faults(of_each_kind(7)).await;
    let other = || outcomes(&again, "DynamoDB_20120810.Query", 60);
    let (get, transact, ..) = tokio::join!(outcomes(&again, GET, 40), outcomes(&again, TRANSACT, 40), other(), other());
    assert_eq!((get, transact), one_by_one);
    let met = |proxy: &FaultProxy, name| proxy.fault_counts().by_operation()[&Operation::new(Service::DynamoDb, name)];
    assert_eq!(met(&proxy, "GetItem"), met(&again, "GetItem"));

    let (_emulator, another_seed) = with_faults(of_each_kind(8)).await;
    assert_ne!(outcomes(&another_seed, TRANSACT, 40).await, one_by_one.1);
}

#[tokio::test]
async fn calls_while_faults_are_off_do_not_shift_the_plan() {
    let (_emulator, proxy) = with_faults(of_each_kind(7)).await;
    let expected = outcomes(&proxy, TRANSACT, 30).await;

    let (_emulator, again) = with_faults(of_each_kind(7)).await;
    let mut found = outcomes(&again, TRANSACT, 15).await;
    again.set_faults(false);
    let calm = outcomes(&again, TRANSACT, 5).await;
    assert!(calm.iter().all(|outcome| outcome.status() == StatusCode::OK));
    again.set_faults(true);
    found.extend(outcomes(&again, TRANSACT, 15).await);
    assert_eq!(found, expected);
}
