//! The log: one JSON object a line on stdout, with the keys of Powertools for AWS Lambda.
//!
//! Lambda takes each line of stdout as one event ("Log and monitor Lambda functions"). A line costs more than the call
//! it tells of, so a request that succeeds writes one. Never a token, a body or an e-mail address.

use std::cell::RefCell;
use std::env;
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::Context;
use serde_json::{Map, Value, json};

/// How much a line matters. Lines below the level of the environment variable `LOG_LEVEL` (`INFO` unless set) are not
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happened.
    Info,
    /// Something that was put right by itself, and should not happen often.
    Warning,
    /// Something that a person has to look at.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

static LEVEL: LazyLock<Level> = LazyLock::new(|| match env::var("LOG_LEVEL").as_deref() {
    Ok("DEBUG" | "TRACE") => Level::Debug,
    Ok("WARN" | "WARNING") => Level::Warning,
    Ok("ERROR" | "CRITICAL" | "FATAL") => Level::Error,
    _ => Level::Info,
});

static WARM: AtomicBool = AtomicBool::new(false);

thread_local! {
    static INVOCATION: RefCell<Map<String, Value>> = RefCell::default();
}

/// Every line until the next call of this belongs to the invocation that `context` describes.
pub fn begin(context: &Context) {
    let cold_start = !WARM.swap(true, Ordering::Relaxed);
    let mut keys = Map::new();
    keys.insert("cold_start".to_owned(), cold_start.into());
    keys.insert("function_name".to_owned(), context.env_config.function_name.clone().into());
    keys.insert("function_request_id".to_owned(), context.request_id.clone().into());
    if let Some(trace) = &context.xray_trace_id {
        keys.insert("xray_trace_id".to_owned(), trace.clone().into());
    }
    INVOCATION.set(keys);
}

/// Writes a line: a sentence, and `fields` (a JSON object) beside it.
pub fn line(level: Level, message: &str, fields: Value) {
    if level < *LEVEL {
        return;
    }
    let mut line = json!({
        "level": level.as_str(),
        "message": message,
        "timestamp": jiff::Timestamp::now().to_string(),
    });
    if let Value::Object(line) = &mut line {
        INVOCATION.with_borrow(|keys| line.extend(keys.clone()));
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
    }
    // Where stdout is gone there is nowhere left to say so.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes a line of [`Level::Info`].
pub fn info(message: &str, fields: Value) {
    line(Level::Info, message, fields);
}

/// Writes a line of [`Level::Warning`].
pub fn warning(message: &str, fields: Value) {
    line(Level::Warning, message, fields);
}

/// Writes a line of [`Level::Error`].
pub fn error(message: &str, fields: Value) {
    line(Level::Error, message, fields);
}

/// An error with everything that led to it, as one text.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many errors repeat their cause in their own text.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
