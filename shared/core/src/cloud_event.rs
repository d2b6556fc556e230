//! Domain events in a CloudEvents 1.0 envelope.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, TraceContext, Version, json};

/// The event type of an application: usually an enum whose variants serde serializes as `{"type": …, "data": …}`.
///
/// ```
/// use ferrite_core::{CloudEvent, Event};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum NoteEvent {
///     #[serde(rename = "example.note.written.v1")]
///     Written { note_id: String },
/// }
///
/// impl Event for NoteEvent {
///     const SOURCE: &'static str = "example.notes";
///
///     fn event_type(&self) -> &'static str {
///         match self {
///             Self::Written { .. } => "example.note.written.v1",
///         }
///     }
/// }
///
/// let json = r#"{"specversion": "1.0", "id": "n1:1", "source": "example.notes", "subject": "n1",
///     "time": "2026-11-22T22:00:00Z", "type": "example.note.written.v1", "data": {"note_id": "n1"}}"#;
/// let event = CloudEvent::<NoteEvent>::parse(json)?;
/// assert_eq!(event.event.event_type(), "example.note.written.v1");
/// # Ok::<(), ferrite_core::InvalidEvent>(())
/// ```
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// CloudEvents `source` attribute of the application's events.
    const SOURCE: &'static str;

    /// CloudEvents `type` attribute of the event. EventBridge rules match it as `detail-type`.
    fn event_type(&self) -> &'static str;
}

/// Identifier of an event. Publishing the same change again produces the same identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// Identifier of the event that reports the change of `subject` to `version`.
    ///
    /// It is derived from the committed change, so a redelivered stream record produces the same identifier.
    #[must_use]
    pub fn of_change(subject: &str, version: Version) -> Self {
        Self(format!("{subject}:{}", version.get()))
    }

    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An application event in its envelope (CloudEvents 1.0, JSON event format).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEvent<E> {
    specversion: SpecVersion,
    /// Identifier of the event.
    pub id: EventId,
    /// The system that published the event.
    #[cfg_attr(feature = "schema", schemars(description = "The system that published the event."))]
    pub source: String,
    /// Identifier of the entity that the event is about.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subject: String,
    /// Time at which the change happened.
    pub time: Timestamp,
    /// The request or event that caused this event: the extension attributes `traceparent` and `correlationid`.
    #[serde(flatten)]
    pub trace_context: TraceContext,
    /// Type and payload of the event.
    #[serde(flatten)]
    pub event: E,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum SpecVersion {
    #[serde(rename = "1.0")]
    V1,
}

impl<E: Event> CloudEvent<E> {
    /// Wraps `event` in an envelope with an empty trace context.
    pub fn new(id: EventId, subject: String, time: Timestamp, event: E) -> Self {
        Self {
            specversion: SpecVersion::V1,
            id,
            source: E::SOURCE.to_owned(),
            subject,
            time,
            trace_context: TraceContext::default(),
            event,
        }
    }

    /// Sets the trace context of the request or event that caused this event.
    #[must_use]
    pub fn with_trace_context(self, trace_context: TraceContext) -> Self {
        Self { trace_context, ..self }
    }

    /// Parses an envelope received from the event bus.
    ///
    /// # Errors
    /// Returns an error if the type or source is unknown, or the payload does not match the type. The error is
    /// permanent, so do not retry.
    pub fn parse(json: &str) -> Result<Self, InvalidEvent> {
        let event: Self =
            json::check(json).and_then(serde_json::from_str).map_err(|error| InvalidEvent::Malformed(error.to_string()))?;
        if event.source != E::SOURCE {
            return Err(InvalidEvent::UnknownSource(event.source));
        }
        Ok(event)
    }
}

/// Reason why a document is not an event of this application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEvent {
    /// The document is not the JSON of a known event. The text names the first difference.
    #[error("not a known event: {0}")]
    Malformed(String),
    /// The event comes from a source that this application does not consume.
    #[error("unknown event source {0:?}")]
    UnknownSource(String),
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum NoteEvent {
        #[serde(rename = "example.note.written.v1", rename_all = "camelCase")]
        Written { note_id: String },
    }

    impl Event for NoteEvent {
        const SOURCE: &'static str = "example.notes";

        fn event_type(&self) -> &'static str {
            match self {
                Self::Written { .. } => "example.note.written.v1",
            }
        }
    }

    fn envelope() -> Value {
        json!({
            "specversion": "1.0", "id": "n1:2", "source": "example.notes", "subject": "n1", "time": "2026-11-22T22:00:00.120Z",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "correlationid": "import-7",
            "type": "example.note.written.v1", "data": {"noteId": "n1"}
        })
    }

    #[test]
    fn round_trips_an_envelope() {
        let event = CloudEvent::<NoteEvent>::parse(&envelope().to_string()).unwrap();
        assert_eq!(event.event.event_type(), "example.note.written.v1");
        assert_eq!(event.trace_context.correlation_id.as_ref().map(|id| id.as_str()), Some("import-7"));
        assert_eq!(serde_json::to_value(&event).unwrap(), envelope());
    }

    #[test]
    fn rejects_unknown_events_with_a_reason() {
        let changed = |pointer: &str, value: Value| {
            let mut event = envelope();
            *event.pointer_mut(pointer).unwrap() = value;
            CloudEvent::<NoteEvent>::parse(&event.to_string())
        };
        let unknown_type = changed("/type", "example.note.written.v9".into());
        assert!(matches!(unknown_type, Err(InvalidEvent::Malformed(reason)) if reason.contains("v9")));
        assert!(changed("/specversion", "0.3".into()).is_err());
        assert!(changed("/data/noteId", 1.into()).is_err());
        assert_eq!(changed("/source", "elsewhere".into()), Err(InvalidEvent::UnknownSource("elsewhere".into())));
        assert!(CloudEvent::<NoteEvent>::parse("not json").is_err());
    }

    #[test]
    fn ignores_a_malformed_trace_context() {
        let mut event = envelope();
        event["traceparent"] = json!("elsewhere");
        let event = CloudEvent::<NoteEvent>::parse(&event.to_string()).unwrap();
        assert_eq!(event.trace_context.traceparent, None);
    }
}
