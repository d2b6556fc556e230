//! Prints the functions' log entries as they are written, one readable line each.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::console::report;

/// Keys of a Powertools log entry that are not shown: the line already contains their values, or they are of no use in
/// development.
const HIDDEN_KEYS: [&str; 14] = [
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

/// Starts a thread that prints the lines that are appended to `log` from now on, until this program exits.
pub fn follow(log: &Path, stack: &str) {
    let log: PathBuf = log.to_owned();
    let prefix = format!("{stack}-");
    thread::spawn(move || {
        let Ok(mut file) = File::open(&log) else { return };
        let _ = file.seek(SeekFrom::End(0));
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        loop {
            match reader.read_line(&mut line) {
                Ok(read) if read > 0 => {}
                // The end of the file. Poll it, because there is no portable notification for appended data.
                _ => thread::sleep(Duration::from_millis(100)),
            }
            if line.ends_with('\n') {
                report(&format_line(line.trim_end(), &prefix));
                line.clear();
            }
        }
    });
}

/// Formats a log entry as `12:03:04 create-item INFO message key=value…`. Other output of a function is not changed.
fn format_line(entry: &str, prefix: &str) -> String {
    let Ok(Value::Object(entry)) = serde_json::from_str(entry) else {
        return entry.to_owned();
    };
    let name = text(&entry, "function");
    let name = name.strip_prefix(prefix).unwrap_or(name);
    let line = text(&entry, "line");
    match serde_json::from_str(line) {
        Ok(Value::Object(log)) if log.contains_key("message") => format_log_entry(name, &log),
        _ => format!("         {name} {line}"),
    }
}

fn format_log_entry(name: &str, log: &Map<String, Value>) -> String {
    // In an RFC 3339 timestamp, the time of day follows the `T`.
    let timestamp = text(log, "timestamp");
    let time = timestamp.get(11..19).unwrap_or("        ");
    let mut line = format!("{time} {name} {} {}", text(log, "level"), text(log, "message"));
    let is_metric = |key: &str| key.starts_with(|c: char| c.is_ascii_uppercase());
    let is_shown = |key: &str| !HIDDEN_KEYS.contains(&key) && !is_metric(key);
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

    fn formatted(line: &str) -> String {
        let entry = json!({"function": "ferrite-local-create-item", "line": line});
        format_line(&entry.to_string(), "ferrite-local-")
    }

    #[test]
    fn formats_a_log_entry_as_one_line_with_its_fields() {
        let log = json!({"level": "INFO", "message": "item created", "timestamp": "2026-11-22T12:03:04.123Z",
            "service": "create-item", "cold_start": true, "item_id": "itm_1", "duration_ms": 4, "ColdStart": [1.0]});
        assert_eq!(
            formatted(&log.to_string()),
            "12:03:04 create-item INFO item created duration_ms=4 item_id=itm_1 (cold start)"
        );
    }

    #[test]
    fn does_not_change_output_that_is_not_a_log_entry() {
        assert_eq!(formatted("thread 'main' panicked"), "         create-item thread 'main' panicked");
        assert_eq!(formatted("[1, 2]"), "         create-item [1, 2]");
        assert_eq!(formatted(r#"{"other": 1}"#), r#"         create-item {"other": 1}"#);
    }
}
