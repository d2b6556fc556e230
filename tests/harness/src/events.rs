//! Domain events, as they arrive at the consumers of the stack.

use serde_json::{Value, json};

use crate::api::Api;
use crate::aws::Aws;

/// Returns a domain event as an EventBridge rule sends it to a queue.
///
/// `source` and `event_type` are those of the application's events, and `id` identifies the event.
#[must_use]
pub fn delivered(source: &str, event_type: &str, id: &str, data: &Value) -> Value {
    json!({"version": "0", "source": source, "detail-type": event_type, "detail": {
        "specversion": "1.0", "id": id, "source": source, "subject": id, "time": "2026-11-22T22:00:00.000Z",
        "type": event_type, "data": data,
    }})
}

/// Publishes an event that [`delivered`] has returned on the bus of the stack, whose name is the output `BusName`.
pub fn publish(api: &Api, event: &Value) {
    Aws::under_test().put_event(api.output("BusName"), event);
}
