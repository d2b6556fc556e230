//! A log line, in the order in which Powertools writes its keys.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use tracing::Level;

use super::Exception;
use crate::invocation::Scope;
use crate::metrics::Document;
use crate::settings::settings;

/// The keys that the kit writes itself. A field of the same name gets another one, because readers of JSON disagree about
/// repeated keys.
const RESERVED_KEYS: [&str; 15] = [
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
    /// File and line of the call site.
    pub(super) location: Option<(&'a str, u32)>,
    pub(super) fields: Map<String, Value>,
    pub(super) exception: Option<Exception>,
    pub(super) scope: Option<&'a Scope>,
    pub(super) metrics: Option<&'a Document>,
}

impl Line<'_> {
    /// Returns the line with its line break.
    pub(super) fn render(&self) -> Vec<u8> {
        rendered(self)
    }

    fn level(&self) -> &'static str {
        match self.level {
            // Lambda's filter does not know the name that Powertools uses.
            Level::WARN if settings().lambda_filters => "WARN",
            Level::WARN => "WARNING",
            level => level.as_str(),
        }
    }
}

/// Returns a line that has only metrics.
pub(super) fn metrics_only(document: &Document) -> Vec<u8> {
    struct MetricsOnly<'a>(&'a Document);

    impl Serialize for MetricsOnly<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("service", &settings().service)?;
            map.serialize_entry("function_name", &settings().function_name)?;
            self.0.serialize_into(&mut map)?;
            map.end()
        }
    }

    rendered(&MetricsOnly(document))
}

fn rendered(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Strings, numbers and maps of them always serialize.
    let _ = serde_json::to_writer(&mut bytes, line);
    bytes.push(b'\n');
    bytes
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = settings();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("level", self.level())?;
        let (file, line) = self.location.unwrap_or_default();
        map.serialize_entry("location", &format_args!("{file}:{line}"))?;
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
        let record_keys = self.scope.into_iter().flat_map(|scope| scope.keys.iter());
        // A field replaces a key of the record.
        let record_keys = record_keys.filter(|(name, _)| !self.fields.contains_key(*name));
        for (name, value) in record_keys.chain(&self.fields) {
            if RESERVED_KEYS.contains(&name.as_str()) {
                map.serialize_entry(&format_args!("{name}_"), value)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(exception) = &self.exception {
            for (name, value) in exception.keys() {
                map.serialize_entry(name, &value)?;
            }
        }
        if let Some(scope) = self.scope {
            map.serialize_entry("xray_trace_id", &scope.traceparent.xray_trace_id())?;
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
    use crate::invocation;
    use crate::invocation::testing::invoked;

    #[tokio::test]
    async fn has_the_keys_of_powertools_in_their_order() {
        let ((), _) = invoked(async {
            let Value::Object(fields) = json!({ "note_id": "note_1", "level": 9 }) else { unreachable!() };
            let line = invocation::current(|scope| {
                let (level, location) = (Level::WARN, Some(("functions/a/src/handler.rs", 7)));
                let exception = Some(Exception::new(&std::fmt::Error));
                Line { level, message: "it happened", location, fields, exception, scope: Some(scope), metrics: None }
                    .render()
            });
            let text = String::from_utf8(line.unwrap()).unwrap();
            let start =
                r#"{"level":"WARNING","location":"functions/a/src/handler.rs:7","message":"it happened","timestamp":"#;
            assert!(text.starts_with(start), "{text}");
            assert!(text.ends_with("}\n") && text.matches('\n').count() == 1, "{text}");
            let line: Value = serde_json::from_str(&text).unwrap();
            for key in ["service", "cold_start", "function_request_id", "xray_trace_id", "exception"] {
                assert!(!line[key].is_null(), "{key} in {text}");
            }
            assert_eq!((&line["note_id"], &line["level_"]), (&json!("note_1"), &json!(9)));
        })
        .await;
    }
}
