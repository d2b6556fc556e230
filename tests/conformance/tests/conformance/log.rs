//! Tests that functions in both languages write log lines with the same keys and values.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::function::{Function, Handler, Language, Line, NAME, SERVICE, TRACE_ID};
use crate::payload::{CORRELATION_ID, Payload};
use crate::record::table;

/// The keys whose values differ by design, with the reasons. All other values must be equal.
const EXPECTED_DIFFERENCES: [(&str, &str); 6] = [
    ("location", "file and line, as in panic messages; Powertools writes function and line"),
    ("timestamp", "RFC 3339, which Powertools writes only with `use_rfc3339`"),
    ("function_memory_size", "a number; Lambda passes it to a Python function as a string"),
    ("function_request_id", "different for each invocation"),
    ("exception", "the error and its sources; in Python, a traceback that ends with the error"),
    ("stack_trace", "errors in Rust have no frames and no module"),
];

/// The additional keys of the line at the end of each invocation. Powertools writes only the metrics there.
const INVOCATION_KEYS: [&str; 9] =
    ["method", "path", "status", "duration_ms", "_aws", "ColdStart", "Charges", "ChargeTime", "Succeeded"];

/// The lines of a Rust function, started with `variables`, after a successful invocation and one with a malformed
/// event.
async fn lines_with(variables: &[(&str, &str)]) -> Vec<Line> {
    let function = Function::start_with(Language::Rust, Handler::Event, table().await, variables).await;
    assert_eq!(function.invoke(&Payload::new(Handler::Event).event()).await.status, 201);
    function.start_invocation("{}", Duration::from_secs(30)).await;
    function.wait_for_failure().await;
    function.lines()
}

/// The levels and locations of the lines of dependencies. Their locations are absolute, because Cargo compiles
/// dependencies with absolute paths.
fn dependency_lines(lines: &[Line]) -> Vec<(&str, &str)> {
    let lines = lines.iter().map(|line| (line["level"].as_str().unwrap(), line["location"].as_str().unwrap()));
    lines.filter(|(_, location)| Path::new(location).is_absolute()).collect()
}

/// The lines of a function after two successful invocations and one whose charge is declined.
async fn lines_of(language: Language) -> Vec<Line> {
    let function = Function::start(language, Handler::Request, table().await).await;
    for _ in 0..2 {
        assert_eq!(function.invoke(&Payload::new(Handler::Request).event()).await.status, 201);
    }
    function.start_invocation(&Payload::new(Handler::Request).event(), Duration::from_secs(30)).await;
    function.next_charge().await.decline();
    assert_eq!(function.result().await.status, 500);
    function.lines()
}

/// Pairs of lines with this message: those of the Rust function, each with that of the Python function.
async fn lines_of_both(message: &str) -> Vec<(Line, Line)> {
    let with_message = async |language| {
        let lines = lines_of(language).await.into_iter();
        lines.filter(|line| line.get("message").is_some_and(|text| text == message)).collect::<Vec<_>>()
    };
    let rust = with_message(Language::Rust).await;
    let python = with_message(Language::Python).await;
    assert_eq!(rust.len(), python.len(), "{message}");
    rust.into_iter().zip(python).collect()
}

fn keys(line: &Line) -> Vec<&str> {
    line.keys().map(String::as_str).collect()
}

fn assert_only_expected_differences(rust: &Line, python: &Line) {
    assert_eq!(keys(rust), keys(python));
    let differing: BTreeSet<&str> = keys(rust).into_iter().filter(|key| rust[*key] != python[*key]).collect();
    let expected = EXPECTED_DIFFERENCES.into_iter().map(|(key, _)| key).filter(|key| rust.contains_key(*key)).collect();
    assert_eq!(differing, expected, "{rust:?}\n{python:?}");
}

#[tokio::test]
async fn lines_have_the_same_keys_in_the_same_order() {
    let lines = lines_of_both("charging").await;
    let cold_starts: Vec<&Value> = lines.iter().map(|(rust, _)| &rust["cold_start"]).collect();
    assert_eq!(cold_starts, [true, false, false]);
    for (rust, python) in &lines {
        assert_only_expected_differences(rust, python);
        for (key, value) in [
            ("level", "INFO"),
            ("service", SERVICE),
            ("function_name", NAME),
            ("correlation_id", CORRELATION_ID),
            ("xray_trace_id", TRACE_ID),
        ] {
            assert_eq!(rust[key], value);
        }
        assert_eq!(rust["amount"], 1250);
        assert!(rust["location"].as_str().unwrap().starts_with("tests/conformance/src/main.rs:"), "{rust:?}");
    }
}

#[tokio::test]
async fn errors_are_logged_with_the_same_keys() {
    let lines = lines_of_both("not charged").await;
    let [(rust, python)] = &lines[..] else { panic!("expected one line, found {}", lines.len()) };
    assert_only_expected_differences(rust, python);
    assert_eq!((&rust["level"], &rust["exception_name"]), (&"ERROR".into(), &"ChargeDeclined".into()));

    let text = rust["exception"].as_str().unwrap();
    let traceback = python["exception"].as_str().unwrap();
    assert!(traceback.ends_with(&format!("ChargeDeclined: {text}")), "{traceback}");
    let rust_trace = &rust["stack_trace"];
    let python_trace = &python["stack_trace"];
    let keys = |trace: &Value| trace.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(rust_trace), keys(python_trace));
    for key in ["type", "value"] {
        assert_eq!(rust_trace[key], python_trace[key]);
    }
}

#[tokio::test]
async fn the_last_line_of_an_invocation_has_the_common_keys() {
    let lines = lines_of(Language::Rust).await;
    let line = lines.iter().find(|line| line["message"] == "the request succeeded").unwrap();
    let (charging, _) = &lines_of_both("charging").await[0];
    let common: Vec<&str> = keys(line).into_iter().filter(|key| !INVOCATION_KEYS.contains(key)).collect();
    let expected: Vec<&str> = keys(charging).into_iter().filter(|key| *key != "amount").collect();
    assert_eq!(common, expected);
}

#[tokio::test]
async fn dependencies_log_warnings_and_errors_only() {
    let lines = lines_with(&[("POWERTOOLS_LOG_LEVEL", "DEBUG")]).await;
    let [(level, location)] = dependency_lines(&lines)[..] else { panic!("expected one line of a dependency: {lines:?}") };
    assert_eq!(level, "ERROR");
    assert!(location.contains("/lambda_runtime-"), "{location}");
}

#[tokio::test]
async fn rust_log_sets_the_log_levels_of_dependencies() {
    let directives = "aws_smithy_runtime=debug,lambda_runtime=off";
    let lines = lines_with(&[("POWERTOOLS_LOG_LEVEL", "DEBUG"), ("RUST_LOG", directives)]).await;
    let dependency_lines = dependency_lines(&lines);
    let is_sdk_debug_line =
        |(level, location): &(&str, &str)| *level == "DEBUG" && location.contains("/aws-smithy-runtime-");
    assert!(!dependency_lines.is_empty() && dependency_lines.iter().all(is_sdk_debug_line), "{dependency_lines:?}");
}
