//! Structured logging: writes `tracing` events to stdout as JSON lines with the keys of the Powertools Logger.
//!
//! Log with the `tracing` macros, and use spans to follow a unit of work. The fields of an event and of its enclosing
//! spans become keys of the log line. The key `location` is the call site of the event. An error that is passed as
//! `&dyn Error` becomes the Powertools keys `exception`, `exception_name` and `stack_trace`.
//!
//! ```
//! use std::error::Error;
//!
//! use ferrite_runtime::log;
//! use tracing::Instrument;
//!
//! # async fn upload() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn handler(note_id: &str) {
//! tracing::debug!(note_id, "uploading the attachment");
//! if let Err(error) = upload().instrument(tracing::info_span!("upload", note_id)).await {
//!     tracing::warn!(error = &error as &dyn Error, note_id, "could not upload the attachment");
//! }
//! log::append_key("note_id", note_id);
//! # }
//! ```
//!
//! # One line per invocation
//! Logs cost more than anything else in a typical function, so an invocation that succeeds writes a single line, which
//! also contains its metrics. [`append_key`] adds a key to that line. Events below the log level are buffered (up to
//! the latest 20 KiB) and written only if the invocation fails, or if `POWERTOOLS_LOGGER_SAMPLE_RATE` selects its
//! trace. Therefore, log diagnostic details with `tracing::debug!`.
//!
//! # Recorded events
//! By default, the log records events and spans of the workspace and of this kit at `DEBUG` and above (at `TRACE` and
//! above if the log level is `TRACE`), and those of dependencies at `WARN` and above. `RUST_LOG` overrides this for the
//! targets that it lists, in the syntax of [`Targets`](tracing_subscriber::filter::Targets):
//! `aws_smithy_runtime=debug,write_note::handler=warn`. A level without a target applies to all other targets. The log
//! level in the following table then decides whether a recorded event is written immediately or buffered.
//!
//! | variable | meaning |
//! |---|---|
//! | `POWERTOOLS_LOG_LEVEL`, `LOG_LEVEL` | log level; events below it are buffered; default `INFO` |
//! | `AWS_LAMBDA_LOG_LEVEL`, `AWS_LAMBDA_LOG_FORMAT` | set by Lambda ("Configuring JSON and plain text log formats"); the minimum log level, and whether lines use Lambda's level names |
//! | `POWERTOOLS_LOGGER_SAMPLE_RATE` | fraction of traces, 0 to 1, for which all functions write every event |
//! | `POWERTOOLS_SERVICE_NAME` | value of the key `service`; default is the function name |
//! | `RUST_LOG` | minimum recorded level per target; default as described above |
//!
//! Release builds contain no `TRACE` events, because the workspace enables the `release_max_level_debug` feature of
//! `tracing`. Records of the `log` crate are not included; a dependency that uses that crate needs `tracing-log`.
//!
//! Never log tokens, request or response bodies, or e-mail addresses.

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
pub use middleware::{InvocationStart, LogMiddleware, layer};
pub use outcome::{Classify, LogSummary, Outcome, OutcomeCounts};
pub use powertools_layer::PowertoolsLayer;

use crate::config::ConfigError;
use crate::invocation::{self, Invocation};
use crate::metrics::Document;
use crate::panics::{self, PanicError};
use crate::settings::{self, settings};

/// Initializes logging: reads the settings, installs a global `tracing` subscriber and a panic hook that logs.
///
/// Every `serve` function calls this function. Call it at the beginning of `main` if your init code logs. If `main` has
/// already installed a global subscriber, that subscriber remains in place.
///
/// # Errors
/// Returns an error if an environment variable has an invalid value.
pub fn init() -> Result<(), ConfigError> {
    settings::init()?;
    panics::init();
    let subscriber = tracing_subscriber::registry().with(PowertoolsLayer::new()?);
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(crate::trace::tracing_layer());
    // This fails if an earlier call or `main` has already installed a subscriber, which then remains.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// Adds a key to the log line of the current invocation, or replaces its value. Has no effect outside an invocation.
///
/// Unlike `append_keys` of Powertools, it does not add the key to other lines. Use a span with fields for that.
pub fn append_key(key: &str, value: impl Into<Value>) {
    invocation::current(|scope| scope.invocation.state().fields.insert(key.to_owned(), value.into()));
}

/// Appends a value to a list in the log line of the current invocation, for example one value per record of a batch.
/// Has no effect outside an invocation.
pub fn append_to_list(key: &str, value: impl Into<Value>) {
    invocation::current(|scope| {
        let mut state = scope.invocation.state();
        let list = state.fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = list {
            values.push(value.into());
        }
    });
}

/// Writes the buffered lines of `invocation`.
pub(crate) fn flush(invocation: &Invocation) {
    let (lines, dropped) = invocation.state().buffer.take();
    for line in &lines {
        write(line);
    }
    if dropped > 0 {
        tracing::warn!(lines = dropped, "dropped older log lines because the log buffer was full");
    }
}

/// Logs an uncaught panic with its location.
pub(crate) fn panic(error: &PanicError) {
    let location = error.location().map(|at| (at.file.as_str(), at.line));
    let scope = invocation::current(Clone::clone);
    let line = Line {
        level: Level::ERROR,
        message: "uncaught panic",
        location,
        fields: Map::new(),
        exception: Some(Exception::new(error)),
        scope: scope.as_ref(),
        metrics: None,
    };
    write(&line.render());
}

/// Whether every event of the trace is written. The decision depends only on the trace ID, so all functions make the
/// same decision.
pub(crate) fn is_sampled(traceparent: &TraceParent) -> bool {
    sample(traceparent) < settings().sample_rate
}

/// Maps the trace ID to a number from 0 (inclusive) to 1 (exclusive). The last 32 bits of a trace ID are random in both
/// X-Ray and W3C Trace Context.
fn sample(traceparent: &TraceParent) -> f64 {
    f64::from(traceparent.trace_id as u32) / (f64::from(u32::MAX) + 1.0)
}

/// Writes metrics on a separate line.
pub(crate) fn write_metrics(document: &Document) {
    write(&line::metrics_only(document));
}

fn write(line: &[u8]) {
    #[cfg(test)]
    testing::capture(line);
    // If stdout fails, the error cannot be reported anywhere.
    #[cfg(not(test))]
    let _ = std::io::stdout().lock().write_all(line);
}

#[cfg(test)]
pub(crate) mod testing {
    //! Captures the log lines that a test writes.

    use std::cell::RefCell;

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::PowertoolsLayer;

    thread_local! {
        static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    }

    /// Installs the subscriber for all tests. It omits the panic hook, which would hide why a test fails.
    pub(crate) fn init() {
        let subscriber = tracing_subscriber::registry().with(PowertoolsLayer::new().unwrap());
        let _ = tracing::subscriber::set_global_default(subscriber);
    }

    pub(super) fn capture(line: &[u8]) {
        LINES.with_borrow_mut(|lines| lines.push(serde_json::from_slice(line).expect("a log line should be valid JSON")));
    }

    /// Returns and clears the lines that the current thread has written. Each test runs on its own thread.
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
    use crate::invocation::testing::in_invocation;
    use crate::trace::new_trace;

    #[test]
    fn samples_traces_evenly_and_identically_in_all_functions() {
        let traces: Vec<TraceParent> = (0..2000).map(|_| new_trace()).collect();
        let in_another_function = |trace: &TraceParent| TraceParent { span_id: 1, ..*trace };
        assert!(traces.iter().all(|trace| sample(trace) == sample(&in_another_function(trace))));
        assert!(
            traces.iter().all(|trace| (0.0..1.0).contains(&sample(trace))),
            "a rate of 1 should select all traces and a rate of 0 none"
        );
        let below_a_quarter = traces.iter().filter(|trace| sample(trace) < 0.25).count();
        assert!((400..600).contains(&below_a_quarter), "{below_a_quarter} of 2000 traces");
    }

    #[tokio::test]
    async fn writes_an_event_with_its_fields_and_call_site() {
        let line = line!() + 2;
        let work = async {
            tracing::info!(note_id = %"note_1", lines = 2_u64, pinned = true, score = 12.5, "note {}", "written");
        };
        in_invocation(work).await;
        let [written] = &take_lines()[..] else { panic!("expected one line") };
        let location = format!("{}:{line}", file!());
        for (key, value) in [
            ("level", json!("INFO")),
            ("message", json!("note written")),
            ("location", json!(location)),
            ("note_id", json!("note_1")),
            ("lines", json!(2)),
            ("pinned", json!(true)),
            ("score", json!(12.5)),
        ] {
            assert_eq!(written[key], value, "{key} in {written}");
        }
        assert!(written["function_request_id"].is_string(), "{written}");
    }

    #[tokio::test]
    async fn adds_the_fields_of_enclosing_spans_to_the_line() {
        // The subscriber must be installed before the first span is created.
        testing::init();
        let work = async {
            tracing::Span::current().record("attempt", 2);
            let inner = tracing::info_span!("inner", folder_id = "folder_1", note_id = "note_2");
            inner.in_scope(|| tracing::info!(message = "saved", otel.name = "omitted", r#type = "draft"));
            tracing::info!("published");
        };
        let outer = tracing::info_span!("outer", note_id = "note_1", attempt = tracing::field::Empty);
        in_invocation(work.instrument(outer)).await;
        let [saved, published] = &take_lines()[..] else { panic!("expected two lines") };
        assert_eq!((&saved["note_id"], &saved["folder_id"]), (&json!("note_2"), &json!("folder_1")));
        assert_eq!((&saved["type"], &saved["otel.name"]), (&json!("draft"), &Value::Null));
        assert_eq!((&published["note_id"], &published["attempt"]), (&json!("note_1"), &json!(2)));
        assert_eq!(published["folder_id"], Value::Null);
    }

    #[tokio::test]
    async fn associates_a_spawned_task_with_the_invocation_through_its_span() {
        let work = async {
            let task = async { tracing::info!("sent") };
            tokio::spawn(task.instrument(tracing::info_span!("send"))).await.unwrap();
            tokio::spawn(async { tracing::info!("elsewhere") }).await.unwrap();
        };
        let ((), invocation) = in_invocation(work).await;
        let [sent, elsewhere] = &take_lines()[..] else { panic!("expected two lines") };
        assert_eq!(sent["function_request_id"], *invocation.request_id);
        assert_eq!(elsewhere["function_request_id"], Value::Null);
    }

    #[tokio::test]
    async fn writes_an_error_field_as_exception_keys() {
        let error = "x".parse::<u8>().unwrap_err();
        let other = std::fmt::Error;
        let error = &error as &dyn Error;
        let other = &other as &dyn Error;
        in_invocation(async { tracing::warn!(error, other, header = "x-depth", "the header was ignored") }).await;
        let [line] = &take_lines()[..] else { panic!("expected one line") };
        assert_eq!((&line["exception"], &line["exception_name"]), (&json!(error.to_string()), &json!("ParseIntError")));
        assert_eq!((&line["stack_trace"]["type"], &line["header"]), (&json!("ParseIntError"), &json!("x-depth")));
        assert_eq!((&line["error"], &line["other"]), (&Value::Null, &json!(other.to_string())));
    }

    #[tokio::test]
    async fn buffers_events_below_the_level_and_drops_them_outside_an_invocation() {
        let ((), invocation) = in_invocation(async { tracing::debug!(hit = true, "read from the cache") }).await;
        tracing::debug!("outside");
        assert_eq!(take_lines(), [] as [Value; 0]);
        flush(&invocation);
        let [line] = &take_lines()[..] else { panic!("expected one line") };
        assert_eq!((&line["level"], &line["hit"]), (&json!("DEBUG"), &json!(true)));
    }

    #[tokio::test]
    async fn reports_how_many_buffered_lines_were_dropped() {
        let text = "x".repeat(1024);
        let ((), invocation) = in_invocation(async { (0..30).for_each(|n| tracing::debug!(n, text)) }).await;
        flush(&invocation);
        let lines = take_lines();
        let kept = lines.len() - 1;
        assert!((10..20).contains(&kept), "{kept} lines");
        assert_eq!((&lines[kept - 1]["n"], &lines[kept]["lines"]), (&json!(29), &json!(30 - kept)));
    }

    #[tokio::test]
    async fn appends_keys_to_the_current_invocation() {
        append_key("note_id", "outside any invocation");
        let ((), invocation) = in_invocation(async {
            append_key("note_id", "note_1");
            append_to_list("attachments", 1);
            append_to_list("attachments", 2);
        })
        .await;
        assert_eq!(Value::from(invocation.state().fields.clone()), json!({ "note_id": "note_1", "attachments": [1, 2] }));
    }
}
