//! Functions in both languages share a table of idempotency records.

use std::time::Duration;

use serde_json::json;

use crate::asked::Asked;
use crate::function::{Function, Handler, Language, in_every_way, until};
use crate::record::{create_table, only_record_of, table};

const A_WHILE: Duration = Duration::from_secs(30);

/// JSON whose digest is the same only where both write it alike to the letter. `shared/runtime/src/idempotency/digest.rs`
/// says what is not among it, because they read it differently.
const AWKWARD: [&str; 32] = [
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
    r#"{"a": 1, "a": 2}"#,
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
async fn what_one_has_done_the_other_answers_without_doing_it_again() {
    in_every_way(table().await, async |handler, first, second| {
        let asked = Asked::new(handler);
        let done = first.invoke(&asked.event()).await;
        assert_eq!((done.charges, done.status), (1, 201));
        for other in [second, first] {
            let again = other.invoke(&asked.event()).await;
            assert_eq!((again.charges, again.status, &again.body), (0, 201, &done.body));
        }
    })
    .await;
}

#[tokio::test]
async fn both_keep_the_same_record() {
    for handler in [Handler::Event, Handler::Request] {
        let asked = Asked::new(handler);
        let mut records = Vec::new();
        for language in [Language::Rust, Language::Python] {
            let table = create_table().await;
            let function = Function::start(language, handler, &table).await;
            function.begin(&asked.event(), A_WHILE).await;
            let charge = function.charging().await;
            let in_progress = only_record_of(&table).await;
            assert_eq!(in_progress["status"], json!({ "S": "INPROGRESS" }));
            charge.succeed("r-1");
            function.ended().await;
            let completed = only_record_of(&table).await;
            assert_eq!(completed["status"], json!({ "S": "COMPLETED" }));
            records.push([in_progress, completed]);
        }
        assert_eq!(records[0], records[1], "{handler:?}");
    }
}

#[tokio::test]
async fn while_one_is_at_it_the_other_is_refused() {
    in_every_way(table().await, async |handler, first, second| {
        let asked = Asked::new(handler);
        first.begin(&asked.event(), A_WHILE).await;
        let charge = first.charging().await;
        let refused = second.invoke(&asked.event()).await;
        assert_eq!((refused.charges, refused.status), (0, 409));
        charge.succeed("r-1");
        assert_eq!(first.ended().await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn something_else_under_the_same_key_is_refused() {
    in_every_way(table().await, async |handler, first, second| {
        let asked = Asked::new(handler);
        first.invoke(&asked.event()).await;
        let refused = second.invoke(&asked.changed().event()).await;
        assert_eq!((refused.charges, refused.status), (0, 422));
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_free_for_the_other() {
    in_every_way(table().await, async |handler, first, second| {
        let asked = Asked::new(handler);
        first.begin(&asked.event(), A_WHILE).await;
        first.charging().await.decline();
        assert_eq!(first.ended().await.status, 500);
        let tried_again = second.invoke(&asked.event()).await;
        assert_eq!((tried_again.charges, tried_again.status), (1, 201));
    })
    .await;
}

#[tokio::test]
async fn what_one_died_at_the_other_takes_over_when_its_time_is_over() {
    for (dies, takes_over) in [(Language::Rust, Language::Python), (Language::Python, Language::Rust)] {
        for handler in [Handler::Event, Handler::Request] {
            let asked = Asked::new(handler);
            let dying = Function::start(dies, handler, table().await).await;
            let living = Function::start(takes_over, handler, table().await).await;
            dying.begin(&asked.event(), Duration::from_secs(1)).await;
            let unanswered = dying.charging().await;
            drop(dying);
            drop(unanswered);
            let taken_over = until("the takeover", async || {
                let tried = living.invoke(&asked.event()).await;
                (tried.status != 409).then_some(tried)
            });
            let taken_over = taken_over.await;
            assert_eq!((taken_over.charges, taken_over.status), (1, 201), "{takes_over:?} after {dies:?}, {handler:?}");
        }
    }
}

#[tokio::test]
async fn awkward_json_is_the_same_to_both() {
    in_every_way(table().await, async |handler, first, second| {
        let mut different = Vec::new();
        for text in AWKWARD {
            let asked = Asked::saying(handler, text);
            let done = first.invoke(&asked.event()).await;
            assert_eq!((done.charges, done.status), (1, 201), "{text}");
            let again = second.invoke(&asked.event()).await;
            if (again.charges, again.status) != (0, 201) {
                different.push((text, again.charges, again.status));
            }
        }
        assert_eq!(different, []);
    })
    .await;
}
