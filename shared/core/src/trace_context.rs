//! Trace context: identifies the request or event that caused a change, so that its effects can be traced.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::CorrelationId;

/// The request or event that caused a change.
///
/// A changed item stores its trace context, because a table's stream contains only the attributes of items. The event
/// about the change takes it from the item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TraceContext {
    /// Span that caused the event (CloudEvents "Distributed Tracing" extension).
    #[serde(default, deserialize_with = "if_valid", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "TraceParent"))]
    pub traceparent: Option<TraceParent>,
    /// Correlation ID of the original request.
    #[serde(default, rename = "correlationid", deserialize_with = "if_valid", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "CorrelationId"))]
    pub correlation_id: Option<CorrelationId>,
}

/// Ignores a malformed attribute, so that it does not invalidate the event.
fn if_valid<'de, T: TryFrom<String>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| T::try_from(text).ok()))
}

/// A span in a trace: the `traceparent` header of W3C Trace Context Level 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    /// Trace identifier; never zero.
    pub trace_id: u128,
    /// Span identifier; never zero.
    pub span_id: u64,
    /// Whether the trace is sampled.
    pub sampled: bool,
}

/// The text is not a valid `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid W3C traceparent")]
pub struct InvalidTraceParent;

impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    /// Later versions than 00 may have additional fields at the end, which are ignored ("Versioning of traceparent").
    fn from_str(text: &str) -> Result<Self, InvalidTraceParent> {
        let mut fields = text.split('-');
        let mut field = |digits| fields.next().and_then(|field| lower_hex(field, digits)).ok_or(InvalidTraceParent);
        let version = field(2)?;
        let trace_id = field(32)?;
        let span_id = field(16)?;
        let flags = field(2)?;
        let has_more_fields = fields.next().is_some();
        if version == 0xff || (version == 0 && has_more_fields) || trace_id == 0 || span_id == 0 {
            return Err(InvalidTraceParent);
        }
        let span_id = u64::try_from(span_id).map_err(|_| InvalidTraceParent)?;
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

impl TraceParent {
    /// Parses the AWS X-Ray tracing header ("X-Ray concepts", "Tracing header"). Returns `None` if the header contains
    /// no trace or no segment.
    pub fn from_xray(header: &str) -> Option<Self> {
        let value = |key: &str| header.split(';').find_map(|field| field.trim().strip_prefix(key)?.strip_prefix('='));
        let (epoch, unique) = value("Root")?.strip_prefix("1-")?.split_once('-')?;
        let trace_id = lower_hex(epoch, 8)? << 96 | lower_hex(unique, 24)?;
        let span_id = u64::try_from(lower_hex(value("Parent")?, 16)?).ok()?;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, sampled: value("Sampled") == Some("1") })
    }

    /// Returns the trace ID in X-Ray format.
    pub fn xray_trace_id(&self) -> String {
        let hex = format!("{:032x}", self.trace_id);
        let (epoch, unique) = hex.split_at(8);
        format!("1-{epoch}-{unique}")
    }

    /// Returns the X-Ray tracing header for this span.
    pub fn xray_header(&self) -> String {
        format!("Root={};Parent={:016x};Sampled={}", self.xray_trace_id(), self.span_id, u8::from(self.sampled))
    }
}

fn lower_hex(text: &str, digits: usize) -> Option<u128> {
    let is_lower_hex = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_lower_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl TryFrom<String> for TraceParent {
    type Error = InvalidTraceParent;

    fn try_from(text: String) -> Result<Self, InvalidTraceParent> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(span: TraceParent) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_its_text_form() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let span: TraceParent = text.parse().unwrap();
        assert!(span.sampled);
        assert_eq!(span.to_string(), text);
    }

    #[test]
    fn converts_to_and_from_the_xray_header() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let span = TraceParent::from_xray(header).unwrap();
        assert_eq!(span.to_string(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        assert_eq!(span.xray_header(), header);
        assert_eq!(TraceParent::from_xray(&format!("{header};Lineage=25:a87bd80c:1")), Some(span));
        for header in
            ["", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=2-5759e988-x;Parent=1", "Parent=53995c3f42cd8ad8"]
        {
            assert_eq!(TraceParent::from_xray(header), None, "{header}");
        }
    }

    #[test]
    fn accepts_additional_fields_in_later_versions() {
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more".parse::<TraceParent>().unwrap();
        assert!(!later.sampled);
    }

    #[test]
    fn rejects_invalid_traceparents() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-+7ad6b7169203331-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(InvalidTraceParent), "{text}");
        }
    }
}
