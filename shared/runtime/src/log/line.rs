//! One line, in the order in which Powertools writes its keys.

use std::panic::Location;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Exception, Level};
use crate::invocation::Scope;
use crate::metrics::Document;
use crate::settings::settings;

/// What every line may have of its own; a field of the same name is renamed, because a key that is there twice makes
/// the line unreadable.
const KEYS: [&str; 15] = [
    "level",
    "location",
    "message",
    "timestamp",
    "service",
    "cold_start",
    "function_name",
    "function_memory_size",
    "function_arn",
    "function_request_id",
    "correlation_id",
    "exception",
    "exception_name",
    "stack_trace",
    "xray_trace_id",
];

pub(super) struct Line<'a> {
    pub(super) level: Level,
    pub(super) message: &'a str,
    pub(super) location: &'a Location<'a>,
    pub(super) fields: Map<String, Value>,
    pub(super) exception: Option<Exception>,
    pub(super) scope: Option<&'a Scope>,
    pub(super) metrics: Option<&'a Document>,
}

impl Line<'_> {
    /// The line with its end.
    pub(super) fn render(&self) -> Vec<u8> {
        rendered(self)
    }

    fn level(&self) -> &'static str {
        match self.level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            // Lambda's filter does not know Powertools' name for it.
            Level::Warning if settings().lambda_filters => "WARN",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }
}

/// Metrics alone.
pub(super) fn bare(document: &Document) -> Vec<u8> {
    struct Bare<'a>(&'a Document);

    impl Serialize for Bare<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("service", &settings().service)?;
            map.serialize_entry("function_name", &settings().function_name)?;
            self.0.serialize_into(&mut map)?;
            map.end()
        }
    }

    rendered(&Bare(document))
}

fn rendered(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Texts, numbers and maps of them can always be written; a line cut short would still be one line.
    let _ = serde_json::to_writer(&mut bytes, line);
    bytes.push(b'\n');
    bytes
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = settings();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("level", self.level())?;
        map.serialize_entry("location", &format_args!("{}:{}", self.location.file(), self.location.line()))?;
        map.serialize_entry("message", self.message)?;
        map.serialize_entry("timestamp", &format_args!("{:.3}", jiff::Timestamp::now()))?;
        map.serialize_entry("service", &settings.service)?;
        if let Some(scope) = self.scope {
            let invocation = &scope.invocation;
            map.serialize_entry("cold_start", &invocation.cold_start)?;
            map.serialize_entry("function_name", &settings.function_name)?;
            map.serialize_entry("function_memory_size", &settings.function_memory_size)?;
            map.serialize_entry("function_arn", &invocation.function_arn)?;
            map.serialize_entry("function_request_id", &invocation.request_id)?;
            if let Some(correlation_id) = &scope.correlation_id {
                map.serialize_entry("correlation_id", correlation_id)?;
            }
        }
        let of_record = self.scope.map(|scope| scope.keys.iter());
        for (name, value) in of_record.into_iter().flatten().chain(&self.fields) {
            if KEYS.contains(&name.as_str()) {
                map.serialize_entry(&format_args!("{name}_"), value)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(exception) = &self.exception {
            for (name, value) in exception.keys() {
                map.serialize_entry(&name, &value)?;
            }
        }
        if let Some(scope) = self.scope {
            map.serialize_entry("xray_trace_id", &scope.place.xray_trace_id())?;
        }
        if let Some(metrics) = self.metrics {
            metrics.serialize_into(&mut map)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::invocation::testing::invoked;
    use crate::{invocation, log};

    #[tokio::test]
    async fn a_line_has_the_keys_of_powertools_in_their_order() {
        let ((), _) = invoked(async {
            let fields = json!({ "order_id": "ord_1", "level": 9 });
            let Value::Object(fields) = fields else { unreachable!() };
            let line = invocation::current(|scope| {
                let exception = Some(Exception::of(&std::fmt::Error));
                let (level, message, location) = (Level::Warning, "it happened", Location::caller());
                Line { level, message, location, fields, exception, scope: Some(scope), metrics: None }.render()
            });
            let text = String::from_utf8(line.unwrap()).unwrap();
            assert!(text.starts_with(r#"{"level":"WARNING","location":"#), "{text}");
            assert!(text.ends_with("}\n") && text.matches('\n').count() == 1, "{text}");
            let line: Value = serde_json::from_str(&text).unwrap();
            for key in ["message", "timestamp", "service", "cold_start", "function_request_id", "xray_trace_id", "exception"]
            {
                assert!(!line[key].is_null(), "{key} in {text}");
            }
            assert_eq!((&line["order_id"], &line["level_"]), (&json!("ord_1"), &json!(9)));
            assert!(line["location"].as_str().unwrap().contains("line.rs:"), "{text}");
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_below_the_level_is_kept_back() {
        let ((), invocation) = invoked(async { log::debug("looked it up", json!({ "hit": true })) }).await;
        let (lines, _) = invocation.written().buffer.take();
        let kept: Value = serde_json::from_slice(&lines[0]).unwrap();
        assert_eq!((&kept["level"], &kept["hit"]), (&json!("DEBUG"), &json!(true)));
    }
}
