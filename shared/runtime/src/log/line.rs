//! A log line. Its keys are in the same order as in the Powertools Logger.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use tracing::Level;

use super::Exception;
use crate::invocation::Scope;
use crate::metrics::Document;
use crate::settings::settings;

/// The keys that the kit writes itself. A field with the same name gets a trailing underscore, because JSON parsers
/// handle duplicate keys differently.
const RESERVED_KEYS: [&str; 16] = [
    "_aws",
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
    /// File and line number of the call site.
    pub(super) location: Option<(&'a str, u32)>,
    pub(super) fields: Map<String, Value>,
    pub(super) exception: Option<Exception>,
    pub(super) scope: Option<&'a Scope>,
    pub(super) metrics: Option<&'a Document>,
}

impl Line<'_> {
    /// Returns the line as JSON, including the line break.
    pub(super) fn render(&self) -> Vec<u8> {
        to_json_line(self)
    }

    fn level(&self) -> &'static str {
        match self.level {
            // Lambda's log level filter does not recognize `WARNING`, the name that Powertools uses.
            Level::WARN if settings().lambda_filters => "WARN",
            Level::WARN => "WARNING",
            level => level.as_str(),
        }
    }
}

/// Returns a line that contains only metrics.
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

    to_json_line(&MetricsOnly(document))
}

fn to_json_line(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Serializing strings, numbers and maps of them cannot fail.
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
        // A field overrides a record key with the same name.
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
    use crate::invocation::testing::in_invocation;

    #[tokio::test]
    async fn writes_the_powertools_keys_in_order() {
        let ((), _) = in_invocation(async {
            let Value::Object(fields) = json!({ "note_id": "note_1", "level": 9 }) else { unreachable!() };
            let line = invocation::current(|scope| {
                let line = Line {
                    level: Level::WARN,
                    message: "it happened",
                    location: Some(("functions/a/src/handler.rs", 7)),
                    fields,
                    exception: Some(Exception::new(&std::fmt::Error)),
                    scope: Some(scope),
                    metrics: None,
                };
                line.render()
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
