//! What happened, told to whoever listens: domain events in a CloudEvents 1.0 envelope.

mod payload;

use serde::{Deserialize, Serialize};

pub use payload::{CustomerRegistered, DomainEvent, OrderCancelled, OrderPaid, OrderPaymentFailed, OrderPlaced};

use crate::{Cause, Timestamp, Version};

/// Names one event for ever: the same change tells its event under the same identifier, however often it is published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// The identifier of the event that a change of the thing `subject` to `version` tells.
    ///
    /// It is derived from what was committed and not drawn, so a stream record that is delivered again gives it again.
    pub fn of_change(subject: &str, version: Version) -> Self {
        Self(format!("{subject}:{}", version.get()))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A domain event in its envelope (CloudEvents 1.0, JSON format).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEvent {
    specversion: SpecVersion,
    /// Names the event for ever.
    pub id: EventId,
    /// Who tells it: [`CloudEvent::SOURCE`] unless another system published it.
    #[cfg_attr(feature = "schema", schemars(description = "Who tells it.", extend("const" = Self::SOURCE)))]
    pub source: String,
    /// What it is about, as the text of an identifier.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// What set it off, as the envelope's extension attributes `traceparent` and `correlationid`.
    #[serde(flatten)]
    pub cause: Cause,
    /// What happened.
    #[serde(flatten)]
    pub event: DomainEvent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum SpecVersion {
    #[serde(rename = "1.0")]
    V1,
}

impl CloudEvent {
    /// The `source` of this system's events.
    pub const SOURCE: &'static str = "ferrite.storefront";

    /// The envelope of `event`, whose cause is not known.
    pub fn new(id: EventId, subject: String, time: Timestamp, event: DomainEvent) -> Self {
        let (specversion, source, cause) = (SpecVersion::V1, Self::SOURCE.to_owned(), Cause::default());
        Self { specversion, id, source, subject, time, cause, event }
    }

    /// The same event, set off by `cause`.
    #[must_use]
    pub fn caused_by(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// Reads an envelope that arrived from the bus.
    ///
    /// # Errors
    /// Not an event of a type and version that is known here, with the payload that its type promises. Trying again
    /// cannot help.
    pub fn parse(json: &str) -> Result<Self, EventError> {
        let event: Self = serde_json::from_str(json).map_err(|error| EventError::Malformed(error.to_string()))?;
        if event.source != Self::SOURCE {
            return Err(EventError::ForeignSource(event.source));
        }
        Ok(event)
    }
}

/// Why something is not an event that can be handled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not the JSON of a known event; the text says where it departs from it.
    #[error("not a known event: {0}")]
    Malformed(String),
    /// From a source that this system does not listen to.
    #[error("an event from the source {0:?}, which is not this system's")]
    ForeignSource(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> serde_json::Value {
        serde_json::json!({
            "specversion": "1.0",
            "id": "ord_0192f0c1a2b37c4d8e5f60718293a4b5:2",
            "source": "ferrite.storefront",
            "subject": "ord_0192f0c1a2b37c4d8e5f60718293a4b5",
            "time": "2026-11-22T22:00:00.120Z",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "correlationid": "checkout-7",
            "type": "ferrite.order.paid.v1",
            "data": {
                "orderId": "ord_0192f0c1a2b37c4d8e5f60718293a4b5",
                "customerId": "ada",
                "total": {"amount": 3500, "currency": "EUR"}
            }
        })
    }

    #[test]
    fn an_event_is_written_as_cloudevents_and_reads_back() {
        let event = CloudEvent::parse(&envelope().to_string()).unwrap();
        assert_eq!(event.event.kind(), "ferrite.order.paid.v1");
        assert_eq!(event.cause.correlation_id.as_ref().map(|id| id.as_str()), Some("checkout-7"));
        assert_eq!(serde_json::to_value(&event).unwrap(), envelope());
    }

    #[test]
    fn what_is_not_a_known_event_is_refused_with_the_reason() {
        let changed = |pointer: &str, value: serde_json::Value| {
            let mut event = envelope();
            *event.pointer_mut(pointer).unwrap() = value;
            CloudEvent::parse(&event.to_string())
        };
        assert!(
            matches!(changed("/type", "ferrite.order.paid.v9".into()), Err(EventError::Malformed(why)) if why.contains("v9"))
        );
        assert!(changed("/specversion", "0.3".into()).is_err());
        assert!(changed("/data/orderId", "prd_1".into()).is_err());
        assert!(changed("/data/total", "3500".into()).is_err());
        assert_eq!(changed("/source", "elsewhere".into()), Err(EventError::ForeignSource("elsewhere".into())));
        assert!(CloudEvent::parse("not json").is_err());
    }
}
