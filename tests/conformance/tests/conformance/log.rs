//! Whoever searches the logs finds the same under the same keys, whichever function wrote them.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::asked::{Asked, CORRELATION_ID};
use crate::function::{Function, Handler, Language, Line, NAME, SERVICE, TRACE_ID};
use crate::record::table;

/// The keys whose values are meant to differ, and why. No others do.
const MEANT_TO_DIFFER: [(&str, &str); 6] = [
    ("location", "file and line, as panics have it; Python has function and line"),
    ("timestamp", "RFC 3339, which Powertools writes when it is told `use_rfc3339`"),
    ("function_memory_size", "a number; what Lambda tells a function in Python is a text"),
    ("function_request_id", "each invocation's own"),
    ("exception", "the error and what led to it; in Python that ends a traceback"),
    ("stack_trace", "an error in Rust knows no frames and no module"),
];

/// What the line that an invocation ends with has beside those keys. Powertools writes no such line, but its metrics.
const OF_THE_INVOCATION: [&str; 9] =
    ["method", "path", "status", "duration_ms", "_aws", "ColdStart", "Charges", "ChargeTime", "Succeeded"];

/// The lines of the function in Rust, started with `variables`, after an invocation that charges and one whose event is
/// malformed.
async fn lines_with(variables: &[(&str, &str)]) -> Vec<Line> {
    let function = Function::start_with(Language::Rust, Handler::Event, table().await, variables).await;
    assert_eq!(function.invoke(&Asked::new(Handler::Event).event()).await.status, 201);
    function.begin("{}", Duration::from_secs(30)).await;
    function.failed().await;
    function.lines()
}

/// The levels and locations of the lines that dependencies wrote: Cargo compiles those with absolute paths.
fn of_dependencies(lines: &[Line]) -> Vec<(&str, &str)> {
    let lines = lines.iter().map(|line| (line["level"].as_str().unwrap(), line["location"].as_str().unwrap()));
    lines.filter(|(_, location)| Path::new(location).is_absolute()).collect()
}

/// The lines of a function that is invoked three times, and declined the third time.
async fn logged_by(language: Language) -> Vec<Line> {
    let function = Function::start(language, Handler::Request, table().await).await;
    for _ in 0..2 {
        assert_eq!(function.invoke(&Asked::new(Handler::Request).event()).await.status, 201);
    }
    function.begin(&Asked::new(Handler::Request).event(), Duration::from_secs(30)).await;
    function.charging().await.decline();
    assert_eq!(function.ended().await.status, 500);
    function.lines()
}

/// The lines of both with this message, ours first.
async fn said_by_both(message: &str) -> Vec<(Line, Line)> {
    let said = async |language| {
        let lines = logged_by(language).await.into_iter();
        lines.filter(|line| line.get("message").is_some_and(|said| said == message)).collect::<Vec<_>>()
    };
    let ours = said(Language::Rust).await;
    let theirs = said(Language::Python).await;
    assert_eq!(ours.len(), theirs.len(), "{message}");
    ours.into_iter().zip(theirs).collect()
}

fn keys(line: &Line) -> Vec<&str> {
    line.keys().map(String::as_str).collect()
}

fn assert_same_but_for_what_is_meant_to_differ(ours: &Line, theirs: &Line) {
    assert_eq!(keys(ours), keys(theirs));
    let differing: BTreeSet<&str> = keys(ours).into_iter().filter(|key| ours[*key] != theirs[*key]).collect();
    let meant = MEANT_TO_DIFFER.into_iter().map(|(key, _)| key).filter(|key| ours.contains_key(*key)).collect();
    assert_eq!(differing, meant, "{ours:?}\n{theirs:?}");
}

#[tokio::test]
async fn a_line_has_the_same_keys_in_the_same_order() {
    let lines = said_by_both("charging").await;
    let cold_starts: Vec<&Value> = lines.iter().map(|(ours, _)| &ours["cold_start"]).collect();
    assert_eq!(cold_starts, [true, false, false]);
    for (ours, theirs) in &lines {
        assert_same_but_for_what_is_meant_to_differ(ours, theirs);
        for (key, value) in [
            ("level", "INFO"),
            ("service", SERVICE),
            ("function_name", NAME),
            ("correlation_id", CORRELATION_ID),
            ("xray_trace_id", TRACE_ID),
        ] {
            assert_eq!(ours[key], value);
        }
        assert_eq!(ours["amount"], 1250);
        assert!(ours["location"].as_str().unwrap().starts_with("tests/conformance/src/main.rs:"), "{ours:?}");
    }
}

#[tokio::test]
async fn an_error_is_told_under_the_same_keys() {
    let lines = said_by_both("not charged").await;
    let [(ours, theirs)] = &lines[..] else { panic!("{} lines", lines.len()) };
    assert_same_but_for_what_is_meant_to_differ(ours, theirs);
    assert_eq!((&ours["level"], &ours["exception_name"]), (&"ERROR".into(), &"ChargeDeclined".into()));

    let text = ours["exception"].as_str().unwrap();
    let traceback = theirs["exception"].as_str().unwrap();
    assert!(traceback.ends_with(&format!("ChargeDeclined: {text}")), "{traceback}");
    let ours = &ours["stack_trace"];
    let theirs = &theirs["stack_trace"];
    let keys = |trace: &Value| trace.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(ours), keys(theirs));
    for key in ["type", "value"] {
        assert_eq!(ours[key], theirs[key]);
    }
}

#[tokio::test]
async fn the_line_that_an_invocation_ends_with_has_the_same_keys_too() {
    let ours = logged_by(Language::Rust).await;
    let line = ours.iter().find(|line| line["message"] == "the request succeeded").unwrap();
    let (charging, _) = &said_by_both("charging").await[0];
    let common: Vec<&str> = keys(line).into_iter().filter(|key| !OF_THE_INVOCATION.contains(key)).collect();
    let wanted: Vec<&str> = keys(charging).into_iter().filter(|key| *key != "amount").collect();
    assert_eq!(common, wanted);
}

#[tokio::test]
async fn dependencies_are_logged_from_warn_up() {
    let lines = lines_with(&[("POWERTOOLS_LOG_LEVEL", "DEBUG")]).await;
    let [(level, location)] = of_dependencies(&lines)[..] else { panic!("one line of a dependency in {lines:?}") };
    assert_eq!(level, "ERROR");
    assert!(location.contains("/lambda_runtime-"), "{location}");
}

#[tokio::test]
async fn rust_log_sets_the_levels_of_dependencies() {
    let directives = "aws_smithy_runtime=debug,lambda_runtime=off";
    let lines = lines_with(&[("POWERTOOLS_LOG_LEVEL", "DEBUG"), ("RUST_LOG", directives)]).await;
    let of_dependencies = of_dependencies(&lines);
    let of_sdk = |(level, location): &(&str, &str)| *level == "DEBUG" && location.contains("/aws-smithy-runtime-");
    assert!(!of_dependencies.is_empty() && of_dependencies.iter().all(of_sdk), "{of_dependencies:?}");
}
