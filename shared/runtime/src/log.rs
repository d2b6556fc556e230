//! The log: one JSON object a line on stdout, with the keys of Powertools for AWS Lambda's Logger.
//!
//! A line is the dearest thing that a function does, so an invocation that succeeds writes one, which carries its metrics
//! as well. What happens on the way is said at [`debug`]: such lines are kept back (the last 20 KiB of them) and written
//! only when the invocation fails, or when its trace is one of the share that `POWERTOOLS_LOGGER_SAMPLE_RATE` names.
//! Where a value belongs to the invocation as a whole, [`append`] puts it into its line.
//!
//! ```
//! use ferrite_runtime::log;
//! use serde_json::json;
//!
//! log::debug("the answer is known", json!({ "age_seconds": 12 }));
//! log::append("order_id", "ord_0192f0c1a2b37c4d8e5f60718293a4b5");
//! if let Err(error) = "x".parse::<u8>() {
//!     log::exception(log::Level::Warning, "the header was ignored", &error, json!({ "header": "x-depth" }));
//! }
//! ```
//!
//! | variable | meaning |
//! |---|---|
//! | `POWERTOOLS_LOG_LEVEL`, `LOG_LEVEL` | lines below this level are kept back; `INFO` |
//! | `AWS_LAMBDA_LOG_LEVEL`, `AWS_LAMBDA_LOG_FORMAT` | Lambda's own ("Configuring JSON and plain text log formats"): nothing below its level is written, and levels have its names |
//! | `POWERTOOLS_LOGGER_SAMPLE_RATE` | the share of traces, 0 to 1, that are logged in full, in every function alike |
//! | `POWERTOOLS_SERVICE_NAME` | the `service`; the function's name |
//!
//! Never a token, a body or an e-mail address.

mod buffer;
mod exception;
mod layer;
mod line;

use std::io::Write;
use std::panic::Location;

use ferrite_core::TraceParent;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use buffer::Buffer;
pub use exception::{Exception, chain};
pub use layer::{Judged, Logged, Outcome, Tally, Verdict, layer};
use line::Line;

use crate::invocation::{self, Invocation};
use crate::metrics::Document;
use crate::settings::settings;

/// How much a line matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// Something that was put right by itself, and should not happen often.
    Warning,
    /// Something that a person has to look at.
    Error,
}

impl TryFrom<String> for Level {
    type Error = &'static str;

    /// Reads the names of Powertools and those of Lambda, in capitals or not.
    fn try_from(name: String) -> Result<Self, &'static str> {
        match name.to_ascii_uppercase().as_str() {
            "TRACE" | "DEBUG" => Ok(Self::Debug),
            "INFO" => Ok(Self::Info),
            "WARN" | "WARNING" => Ok(Self::Warning),
            "ERROR" | "FATAL" | "CRITICAL" => Ok(Self::Error),
            _ => Err("it must be one of DEBUG, INFO, WARN, ERROR"),
        }
    }
}

/// Says something for whoever looks for a fault; kept back until the invocation fails.
#[track_caller]
pub fn debug(message: &str, fields: Value) {
    say(Level::Debug, message, None, fields);
}

/// Says what happened, on a line of its own. What [`append`] can say instead costs a tenth.
#[track_caller]
pub fn info(message: &str, fields: Value) {
    say(Level::Info, message, None, fields);
}

/// Says what was put right by itself.
#[track_caller]
pub fn warning(message: &str, fields: Value) {
    say(Level::Warning, message, None, fields);
}

/// Says what a person has to look at.
#[track_caller]
pub fn error(message: &str, fields: Value) {
    say(Level::Error, message, None, fields);
}

/// Says what went wrong, with the error in Powertools' exception keys.
#[track_caller]
pub fn exception(level: Level, message: &str, error: &(dyn std::error::Error + 'static), fields: Value) {
    say(level, message, Some(Exception::of(error)), fields);
}

/// Adds a value to the line that the invocation ends with. Outside of an invocation there is none to add to.
pub fn append(key: &str, value: impl Into<Value>) {
    invocation::current(|scope| scope.invocation.written().fields.insert(key.to_owned(), value.into()));
}

/// Adds a value to a list in the line that the invocation ends with: what it says of each record of a batch.
pub fn append_to(list: &str, value: impl Into<Value>) {
    invocation::current(|scope| {
        let mut written = scope.invocation.written();
        let entry = written.fields.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = entry {
            values.push(value.into());
        }
    });
}

#[track_caller]
pub(crate) fn say(level: Level, message: &str, exception: Option<Exception>, fields: Value) {
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    let location = Location::caller();
    let scope = invocation::current(Clone::clone);
    let kept_back = level < settings().level && !scope.as_ref().is_some_and(|scope| scope.invocation.sampled);
    let line = Line { level, message, location, fields, exception, scope: scope.as_ref(), metrics: None };
    match &scope {
        _ if !kept_back => write(&line.render()),
        Some(scope) => scope.invocation.written().buffer.push(line.render()),
        None => {}
    }
}

/// Writes out the lines that were kept back.
pub(crate) fn flush(invocation: &Invocation) {
    let (lines, dropped) = invocation.written().buffer.take();
    for line in &lines {
        write(line);
    }
    if dropped > 0 {
        let fields = Map::from_iter([("lines".to_owned(), dropped.into())]);
        say(Level::Warning, "lines from before those above were not kept", None, Value::Object(fields));
    }
}

/// Whether everything that belongs to the trace is written: decided by its identifier, so that every function on a
/// request's way decides alike.
pub(crate) fn is_sampled(place: &TraceParent) -> bool {
    drawn(place) < settings().sample_rate
}

/// A number from 0 up to 1, not included, for the trace: the last 32 bits are random in X-Ray's identifiers as in W3C's.
fn drawn(place: &TraceParent) -> f64 {
    f64::from(place.trace_id as u32) / (f64::from(u32::MAX) + 1.0)
}

/// Writes metrics without a line of the log to carry them.
pub(crate) fn write_metrics(document: &Document) {
    write(&line::bare(document));
}

fn write(line: &[u8]) {
    // Where stdout is gone there is nowhere left to say so.
    let _ = std::io::stdout().lock().write_all(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::new_trace;

    #[test]
    fn a_trace_is_drawn_once_for_all_functions_and_traces_are_drawn_evenly() {
        let traces: Vec<TraceParent> = (0..2000).map(|_| new_trace()).collect();
        let in_another_function = |trace: &TraceParent| TraceParent { span_id: 1, ..*trace };
        assert!(traces.iter().all(|trace| drawn(trace) == drawn(&in_another_function(trace))));
        assert!(traces.iter().all(|trace| (0.0..1.0).contains(&drawn(trace))), "a rate of 1 takes all, one of 0 none");
        let below_a_quarter = traces.iter().filter(|trace| drawn(trace) < 0.25).count();
        assert!((400..600).contains(&below_a_quarter), "{below_a_quarter} of 2000");
    }
}
