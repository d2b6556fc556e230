//! The functions' logs as they come, one readable line each.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::console::report;

/// Keys of a Powertools log entry that say nothing which the line does not show already.
const UNSHOWN: [&str; 14] = [
    "_aws",
    "cold_start",
    "exception_name",
    "function_arn",
    "function_memory_size",
    "function_name",
    "function_request_id",
    "level",
    "location",
    "message",
    "service",
    "stack_trace",
    "timestamp",
    "xray_trace_id",
];

/// Prints the lines that are added to `log` from now on, for as long as this program runs.
pub fn follow(log: &Path, stack: &str) {
    let (log, prefix): (PathBuf, String) = (log.to_owned(), format!("{stack}-"));
    thread::spawn(move || {
        let Ok(mut file) = File::open(&log) else { return };
        let _ = file.seek(SeekFrom::End(0));
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        loop {
            match reader.read_line(&mut line) {
                Ok(read) if read > 0 => {}
                // The end, for now. Appending to a file wakes nobody up portably.
                _ => thread::sleep(Duration::from_millis(100)),
            }
            if line.ends_with('\n') {
                report(&readable(line.trim_end(), &prefix));
                line.clear();
            }
        }
    });
}

/// `12:03:04 place-order INFO message key=value…`; what a function prints that is not JSON stays as it is.
fn readable(entry: &str, prefix: &str) -> String {
    let Ok(Value::Object(entry)) = serde_json::from_str(entry) else {
        return entry.to_owned();
    };
    let (name, line) = (text(&entry, "function"), text(&entry, "line"));
    let name = name.strip_prefix(prefix).unwrap_or(name);
    match serde_json::from_str(line) {
        Ok(Value::Object(log)) if log.contains_key("message") => readable_log(name, &log),
        _ => format!("         {name} {line}"),
    }
}

fn readable_log(name: &str, log: &Map<String, Value>) -> String {
    // RFC 3339: the time of day is what follows the `T`.
    let timestamp = text(log, "timestamp");
    let time = timestamp.get(11..19).unwrap_or("        ");
    let mut line = format!("{time} {name} {} {}", text(log, "level"), text(log, "message"));
    let is_metric = |key: &str| key.starts_with(|c: char| c.is_ascii_uppercase());
    let is_shown = |key: &str| !UNSHOWN.contains(&key) && !is_metric(key);
    let mut fields: Vec<_> = log.iter().filter(|(key, _)| is_shown(key)).collect();
    fields.sort_by_key(|(key, _)| *key);
    for (key, value) in fields {
        match value {
            Value::String(value) => line.push_str(&format!(" {key}={value}")),
            value => line.push_str(&format!(" {key}={value}")),
        }
    }
    if log.get("cold_start") == Some(&Value::Bool(true)) {
        line.push_str(" (cold start)");
    }
    line
}

fn text<'a>(log: &'a Map<String, Value>, key: &str) -> &'a str {
    log.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(line: &str) -> String {
        let entry = json!({"function": "ferrite-local-place-order", "line": line});
        readable(&entry.to_string(), "ferrite-local-")
    }

    #[test]
    fn a_log_entry_is_one_line_with_its_own_fields() {
        let log = json!({"level": "INFO", "message": "order placed", "timestamp": "2026-11-22T12:03:04.123Z",
            "service": "place-order", "cold_start": true, "order_id": "ord_1", "duration_ms": 4, "ColdStart": [1.0]});
        assert_eq!(
            shown(&log.to_string()),
            "12:03:04 place-order INFO order placed duration_ms=4 order_id=ord_1 (cold start)"
        );
    }

    #[test]
    fn what_is_no_log_entry_is_shown_as_it_is() {
        assert_eq!(shown("thread 'main' panicked"), "         place-order thread 'main' panicked");
        assert_eq!(shown("[1, 2]"), "         place-order [1, 2]");
        assert_eq!(shown(r#"{"odd": 1}"#), r#"         place-order {"odd": 1}"#);
    }
}
