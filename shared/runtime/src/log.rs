//! The log: `tracing` events as JSON lines on stdout, with the keys of Powertools for AWS Lambda's Logger.
//!
//! Log with the macros of `tracing`, and follow work with its spans. The fields of an event and of the spans around it
//! become keys of the line, and `location` is the event's call site. An error, passed as `&dyn Error`, becomes
//! Powertools' `exception`, `exception_name` and `stack_trace`.
//!
//! ```
//! use std::error::Error;
//!
//! use ferrite_runtime::log;
//! use tracing::Instrument;
//!
//! # async fn charge() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn handler(note_id: &str) {
//! tracing::debug!(note_id, "charging the card");
//! if let Err(error) = charge().instrument(tracing::info_span!("charge", note_id)).await {
//!     tracing::warn!(error = &error as &dyn Error, note_id, "the card was not charged");
//! }
//! log::append_key("note_id", note_id);
//! # }
//! ```
//!
//! # One line per invocation
//! The log costs more than anything else that a function does, so an invocation that succeeds writes one line, which
//! includes its metrics. [`append_key`] adds a value to that line. Lines below the level are buffered (the latest 20 KiB)
//! and written only when the invocation fails, or when its trace is in the share that `POWERTOOLS_LOGGER_SAMPLE_RATE`
//! selects. So log what helps to find a fault with `tracing::debug!`.
//!
//! # Which events are recorded
//! Events and spans of the workspace's own code and of this kit are recorded from `DEBUG` up (`TRACE` where the level is
//! `TRACE`), and those of dependencies from `WARN` up. `RUST_LOG` changes that for the targets that it lists, in the syntax of
//! [`Targets`](tracing_subscriber::filter::Targets): `aws_smithy_runtime=debug,place_order::handler=warn`. A level alone
//! applies to all other targets. The level below then decides whether a recorded event is written or buffered.
//!
//! | variable | meaning |
//! |---|---|
//! | `POWERTOOLS_LOG_LEVEL`, `LOG_LEVEL` | events below this level are buffered; default `INFO` |
//! | `AWS_LAMBDA_LOG_LEVEL`, `AWS_LAMBDA_LOG_FORMAT` | Lambda's own ("Configuring JSON and plain text log formats"): the level is at least this, and levels have Lambda's names |
//! | `POWERTOOLS_LOGGER_SAMPLE_RATE` | the share of traces, 0 to 1, of which all functions write every line |
//! | `POWERTOOLS_SERVICE_NAME` | the key `service`; default is the function's name |
//! | `RUST_LOG` | the levels from which targets are recorded; default as above |
//!
//! Release builds have no `TRACE` events: the workspace compiles them out with `tracing`'s `release_max_level_debug`. Records of
//! the `log` crate are not events; a dependency that uses it needs `tracing-log`.
//!
//! Never log a token, a body or an e-mail address.

mod buffer;
mod exception;
mod filter;
mod level;
mod line;
mod middleware;
mod outcome;
mod powertools_layer;

#[cfg(not(test))]
use std::io::Write;

use ferrite_core::TraceParent;
use serde_json::{Map, Value};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt;

pub(crate) use buffer::Buffer;
pub use exception::{Exception, error_chain};
pub(crate) use level::LevelName;
use line::Line;
pub use middleware::{LogMiddleware, Start, layer};
pub use outcome::{Classify, LogSummary, Outcome, OutcomeCounts};
pub use powertools_layer::PowertoolsLayer;

use crate::config::ConfigError;
use crate::invocation::{self, Invocation};
use crate::metrics::Document;
use crate::panics::{self, PanicError};
use crate::settings::{self, settings};

/// Starts the log: reads its settings, installs a `tracing` subscriber and has panics logged.
///
/// Every `serve` function calls it. Call it at the beginning of `main` where init itself logs. A global subscriber that
/// `main` has installed stays.
///
/// # Errors
/// A variable is malformed.
pub fn init() -> Result<(), ConfigError> {
    settings::init()?;
    panics::init();
    let subscriber = tracing_subscriber::registry().with(PowertoolsLayer::new()?);
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(crate::trace::tracing_layer());
    // It fails where one is installed already: by an earlier call, or by `main`.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// Adds a key to the line of the current invocation; a later value replaces an earlier one. Has no effect outside of an
/// invocation.
///
/// Powertools' `append_keys` adds keys to every later line; for that, use a span with fields.
pub fn append_key(key: &str, value: impl Into<Value>) {
    invocation::current(|scope| scope.invocation.state().fields.insert(key.to_owned(), value.into()));
}

/// Adds a value to a list in the line of the current invocation, for example one for each record of a batch.
pub fn append_to_list(key: &str, value: impl Into<Value>) {
    invocation::current(|scope| {
        let mut state = scope.invocation.state();
        let list = state.fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = list {
            values.push(value.into());
        }
    });
}

/// Writes the lines that were buffered.
pub(crate) fn flush(invocation: &Invocation) {
    let (lines, dropped) = invocation.state().buffer.take();
    for line in &lines {
        write(line);
    }
    if dropped > 0 {
        tracing::warn!(lines = dropped, "the buffer had no room for the lines before those above");
    }
}

/// Writes a line about a panic that nothing catches, with the location of the panic.
pub(crate) fn panic(error: &PanicError) {
    let location = error.location().map(|at| (at.file.as_str(), at.line));
    let (level, message, exception) = (Level::ERROR, "a panic was not caught", Some(Exception::new(error)));
    let scope = invocation::current(Clone::clone);
    write(&Line { level, message, location, fields: Map::new(), exception, scope: scope.as_ref(), metrics: None }.render());
}

/// Whether every line of the trace is written. The trace's identifier decides, so that all functions decide alike.
pub(crate) fn is_sampled(traceparent: &TraceParent) -> bool {
    sample(traceparent) < settings().sample_rate
}

/// Maps the trace to a number from 0 to 1 (exclusive). The last 32 bits of an identifier are random in X-Ray and in W3C
/// Trace Context.
fn sample(traceparent: &TraceParent) -> f64 {
    f64::from(traceparent.trace_id as u32) / (f64::from(u32::MAX) + 1.0)
}

/// Writes metrics in a line of their own.
pub(crate) fn write_metrics(document: &Document) {
    write(&line::metrics_only(document));
}

fn write(line: &[u8]) {
    #[cfg(test)]
    testing::capture(line);
    // Without stdout there is no place to report the error.
    #[cfg(not(test))]
    let _ = std::io::stdout().lock().write_all(line);
}

#[cfg(test)]
pub(crate) mod testing {
    //! The lines that a test writes.

    use std::cell::RefCell;

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::PowertoolsLayer;

    thread_local! {
        static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    }

    /// Installs the subscriber for all tests, without the panic hook, which would hide why a test fails.
    pub(crate) fn init() {
        let subscriber = tracing_subscriber::registry().with(PowertoolsLayer::new().unwrap());
        let _ = tracing::subscriber::set_global_default(subscriber);
    }

    pub(super) fn capture(line: &[u8]) {
        LINES.with_borrow_mut(|lines| lines.push(serde_json::from_slice(line).expect("a line is JSON")));
    }

    /// Takes the lines that this thread has written; each test has a thread of its own.
    pub(crate) fn take_lines() -> Vec<Value> {
        LINES.take()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;
    use tracing::Instrument;

    use super::testing::{self, take_lines};
    use super::*;
    use crate::invocation::testing::invoked;
    use crate::trace::new_trace;

    #[test]
    fn all_functions_sample_the_same_traces_and_traces_are_sampled_evenly() {
        let traces: Vec<TraceParent> = (0..2000).map(|_| new_trace()).collect();
        let in_another_function = |trace: &TraceParent| TraceParent { span_id: 1, ..*trace };
        assert!(traces.iter().all(|trace| sample(trace) == sample(&in_another_function(trace))));
        assert!(traces.iter().all(|trace| (0.0..1.0).contains(&sample(trace))), "a rate of 1 takes all, one of 0 none");
        let below_a_quarter = traces.iter().filter(|trace| sample(trace) < 0.25).count();
        assert!((400..600).contains(&below_a_quarter), "{below_a_quarter} of 2000");
    }

    #[tokio::test]
    async fn an_event_becomes_a_line_with_its_fields_and_its_call_site() {
        let line = line!() + 2;
        let work = async {
            tracing::info!(note_id = %"note_1", lines = 2_u64, paid = true, total = 12.5, "note {}", "written");
        };
        invoked(work).await;
        let [written] = &take_lines()[..] else { panic!("one line") };
        let location = format!("{}:{line}", file!());
        for (key, value) in [
            ("level", json!("INFO")),
            ("message", json!("note written")),
            ("location", json!(location)),
            ("note_id", json!("note_1")),
            ("lines", json!(2)),
            ("paid", json!(true)),
            ("total", json!(12.5)),
        ] {
            assert_eq!(written[key], value, "{key} in {written}");
        }
        assert!(written["function_request_id"].is_string(), "{written}");
    }

    #[tokio::test]
    async fn the_fields_of_enclosing_spans_are_keys_of_the_line() {
        // Before the first span, which the subscriber must know.
        testing::init();
        let work = async {
            tracing::Span::current().record("attempt", 2);
            let inner = tracing::info_span!("inner", folder_id = "folder_1", note_id = "note_2");
            inner.in_scope(|| tracing::info!(message = "reserved", otel.name = "left out", r#type = "sale"));
            tracing::info!("paid");
        };
        let outer = tracing::info_span!("outer", note_id = "note_1", attempt = tracing::field::Empty);
        invoked(work.instrument(outer)).await;
        let [reserved, paid] = &take_lines()[..] else { panic!("two lines") };
        assert_eq!((&reserved["note_id"], &reserved["folder_id"]), (&json!("note_2"), &json!("folder_1")));
        assert_eq!((&reserved["type"], &reserved["otel.name"]), (&json!("sale"), &Value::Null));
        assert_eq!((&paid["note_id"], &paid["attempt"], &paid["folder_id"]), (&json!("note_1"), &json!(2), &Value::Null));
    }

    #[tokio::test]
    async fn a_spawned_task_finds_the_invocation_through_its_span() {
        let work = async {
            let task = async { tracing::info!("sent") };
            tokio::spawn(task.instrument(tracing::info_span!("send"))).await.unwrap();
            tokio::spawn(async { tracing::info!("elsewhere") }).await.unwrap();
        };
        let ((), invocation) = invoked(work).await;
        let [sent, elsewhere] = &take_lines()[..] else { panic!("two lines") };
        assert_eq!(sent["function_request_id"], *invocation.request_id);
        assert_eq!(elsewhere["function_request_id"], Value::Null);
    }

    #[tokio::test]
    async fn an_error_field_becomes_the_exception_keys() {
        let error = "x".parse::<u8>().unwrap_err();
        let other = std::fmt::Error;
        let (error, other) = (&error as &dyn Error, &other as &dyn Error);
        invoked(async { tracing::warn!(error, other, header = "x-depth", "the header was ignored") }).await;
        let [line] = &take_lines()[..] else { panic!("one line") };
        assert_eq!((&line["exception"], &line["exception_name"]), (&json!(error.to_string()), &json!("ParseIntError")));
        assert_eq!((&line["stack_trace"]["type"], &line["header"]), (&json!("ParseIntError"), &json!("x-depth")));
        assert_eq!((&line["error"], &line["other"]), (&Value::Null, &json!(other.to_string())));
    }

    #[tokio::test]
    async fn events_below_the_level_are_buffered_in_an_invocation_and_dropped_outside() {
        let ((), invocation) = invoked(async { tracing::debug!(hit = true, "looked it up") }).await;
        tracing::debug!("outside");
        assert_eq!(take_lines(), [] as [Value; 0]);
        flush(&invocation);
        let [line] = &take_lines()[..] else { panic!("one line") };
        assert_eq!((&line["level"], &line["hit"]), (&json!("DEBUG"), &json!(true)));
    }

    #[tokio::test]
    async fn reports_how_many_buffered_lines_were_dropped() {
        let text = "x".repeat(1024);
        let ((), invocation) = invoked(async { (0..30).for_each(|n| tracing::debug!(n, text)) }).await;
        flush(&invocation);
        let lines = take_lines();
        let kept = lines.len() - 1;
        assert!((10..20).contains(&kept), "{kept} lines");
        assert_eq!((&lines[kept - 1]["n"], &lines[kept]["lines"]), (&json!(29), &json!(30 - kept)));
    }

    #[tokio::test]
    async fn appended_keys_belong_to_the_invocation() {
        append_key("note_id", "outside of any invocation");
        let ((), invocation) = invoked(async {
            append_key("note_id", "note_1");
            append_to_list("images", 1);
            append_to_list("images", 2);
        })
        .await;
        assert_eq!(Value::from(invocation.state().fields.clone()), json!({ "note_id": "note_1", "images": [1, 2] }));
    }
}
