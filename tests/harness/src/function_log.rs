//! Reads the log lines that the functions write.
//!
//! The lines are in a file that the emulator writes. tests/skipped.toml must list the tests that read it, because other
//! stacks have no such file.

use serde_json::Value;

use crate::variable;

/// A log line of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The deployed name of the function.
    pub function: String,
    /// The line as the function wrote it.
    pub text: String,
}

impl LogLine {
    /// The line as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.text))
    }
}

/// The log lines that contain `text`, oldest first.
#[must_use]
pub fn lines_with(text: &str) -> Vec<LogLine> {
    let path = variable("FERRITE_FUNCTIONS_LOG");
    let log = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let field = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let lines = entries.map(|entry| LogLine { function: field(&entry, "function"), text: field(&entry, "line") });
    lines.filter(|line| line.text.contains(text)).collect()
}

/// The log lines of one function that contain `text`, oldest first. `function` is its deployed name.
#[must_use]
pub fn lines_of(function: &str, text: &str) -> Vec<LogLine> {
    lines_with(text).into_iter().filter(|line| line.function == function).collect()
}
