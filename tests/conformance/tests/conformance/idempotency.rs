//! Tests that functions in both languages can share a table of idempotency records.

use std::time::Duration;

use serde_json::json;

use crate::function::{Function, Handler, Language, for_each_combination, retry_until};
use crate::payload::Payload;
use crate::record::{create_table, only_record_of, table};

const INVOCATION_TIMEOUT: Duration = Duration::from_secs(30);

/// JSON with edge cases of serialization. Its digests are equal only if both languages serialize it identically.
/// `shared/runtime/src/idempotency/digest.rs` lists the values that are left out because the languages parse them
/// differently. Objects with duplicate keys are left out because the runtime rejects them.
const EDGE_CASES: [&str; 31] = [
    r#""é""#,
    r#""日本語""#,
    r#""\ud83d\ude00 😀 👩‍👩‍👧""#,
    r#""\"\\\/\b\f\n\r\t""#,
    r#""\u0000\u0001\u001f\u007f\u0080\u2028\u2029\ufeff\uffff""#,
    r#""<script>&'""#,
    r#""""#,
    "null",
    "true",
    "[]",
    "{}",
    r#"[[], [{}], [null, [false]]]"#,
    r#"{"b": {"z": 1, "a": [2, {"y": 3, "x": 4}]}, "a": null}"#,
    r#"{"é": 1, "z": 2, "Z": 3, "😀": 4, "\uffff": 5, "": 6, "a b": 7}"#,
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1.0",
    "2.5",
    "-0.0",
    "1e2",
    "0.1",
    "0.30000000000000004",
    "[1e15, 1e16, 1.5e16, 123456789012345680.0, 1E+22, 1e23, 1.7976931348623157e308]",
    "[0.001, 0.0001, 0.00001, 0.000012345, 1e-7, 2.2250738585072014e-308, 5e-324]",
    "[7.0385307e-26, 3.5844466002796428e298, 1.2345678901234567, 33.33333333333333333333, 1448997445238699.0]",
    "[-1.5e-9, -1e100, -123.456]",
    r#"[1, 1.0, "1", "1.0"]"#,
    r#"{"sku": "A-1", "quantity": 2, "note": "für Ada", "price": 12.50}"#,
];

#[tokio::test]
async fn returns_the_saved_response_of_the_other_function() {
    for_each_combination(table().await, async |handler, first, second| {
        let payload = Payload::new(handler);
        let original = first.invoke(&payload.event()).await;
        assert_eq!((original.charges, original.status), (1, 201));
        for other in [second, first] {
            let repeated = other.invoke(&payload.event()).await;
            assert_eq!((repeated.charges, repeated.status, &repeated.body), (0, 201, &original.body));
        }
    })
    .await;
}

#[tokio::test]
async fn both_write_the_same_record() {
    for handler in [Handler::Event, Handler::Request] {
        let payload = Payload::new(handler);
        let mut records = Vec::new();
        for language in [Language::Rust, Language::Python] {
            let table = create_table().await;
            let function = Function::start(language, handler, &table).await;
            function.start_invocation(&payload.event(), INVOCATION_TIMEOUT).await;
            let charge = function.next_charge().await;
            let in_progress = only_record_of(&table).await;
            assert_eq!(in_progress["status"], json!({ "S": "INPROGRESS" }));
            charge.succeed("r-1");
            function.result().await;
            let completed = only_record_of(&table).await;
            assert_eq!(completed["status"], json!({ "S": "COMPLETED" }));
            records.push([in_progress, completed]);
        }
        assert_eq!(records[0], records[1], "{handler:?}");
    }
}

#[tokio::test]
async fn returns_409_while_the_other_function_is_in_progress() {
    for_each_combination(table().await, async |handler, first, second| {
        let payload = Payload::new(handler);
        first.start_invocation(&payload.event(), INVOCATION_TIMEOUT).await;
        let charge = first.next_charge().await;
        let rejected = second.invoke(&payload.event()).await;
        assert_eq!((rejected.charges, rejected.status), (0, 409));
        charge.succeed("r-1");
        assert_eq!(first.result().await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn rejects_another_payload_with_the_same_key() {
    for_each_combination(table().await, async |handler, first, second| {
        let payload = Payload::new(handler);
        first.invoke(&payload.event()).await;
        let rejected = second.invoke(&payload.changed().event()).await;
        assert_eq!((rejected.charges, rejected.status), (0, 422));
    })
    .await;
}

#[tokio::test]
async fn retries_after_the_other_function_failed() {
    for_each_combination(table().await, async |handler, first, second| {
        let payload = Payload::new(handler);
        first.start_invocation(&payload.event(), INVOCATION_TIMEOUT).await;
        first.next_charge().await.decline();
        assert_eq!(first.result().await.status, 500);
        let retried = second.invoke(&payload.event()).await;
        assert_eq!((retried.charges, retried.status), (1, 201));
    })
    .await;
}

#[tokio::test]
async fn takes_over_from_a_crashed_function_after_its_timeout() {
    for (crashing_language, other_language) in [(Language::Rust, Language::Python), (Language::Python, Language::Rust)] {
        for handler in [Handler::Event, Handler::Request] {
            let payload = Payload::new(handler);
            let crashing = Function::start(crashing_language, handler, table().await).await;
            let other = Function::start(other_language, handler, table().await).await;
            crashing.start_invocation(&payload.event(), Duration::from_secs(1)).await;
            let pending_charge = crashing.next_charge().await;
            drop(crashing);
            drop(pending_charge);
            let taken_over = retry_until("the takeover", async || {
                let result = other.invoke(&payload.event()).await;
                (result.status != 409).then_some(result)
            });
            let taken_over = taken_over.await;
            assert_eq!(
                (taken_over.charges, taken_over.status),
                (1, 201),
                "{other_language:?} after {crashing_language:?}, {handler:?}"
            );
        }
    }
}

#[tokio::test]
async fn both_serialize_json_identically() {
    for_each_combination(table().await, async |handler, first, second| {
        let mut different = Vec::new();
        for text in EDGE_CASES {
            let payload = Payload::with_json(handler, text);
            let original = first.invoke(&payload.event()).await;
            assert_eq!((original.charges, original.status), (1, 201), "{text}");
            let repeated = second.invoke(&payload.event()).await;
            if (repeated.charges, repeated.status) != (0, 201) {
                different.push((text, repeated.charges, repeated.status));
            }
        }
        assert_eq!(different, []);
    })
    .await;
}
