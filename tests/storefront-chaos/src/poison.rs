//! Poison messages: messages that cannot be processed and must end up in a dead-letter queue with a reason.

use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::error::ChaosError;
use crate::stack::Stack;

/// A poison message, with the dead-letter queue that it must end up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoisonMessage {
    /// A string that occurs only in the body of this message.
    pub(crate) marker: String,
    pub(crate) description: String,
    /// The dead-letter queue that it must end up in.
    pub(crate) expected_queue: String,
}

/// The prefix of markers and of customer IDs in poison messages.
pub(crate) const POISON_PREFIX: &str = "poison-";

/// Sends one poison message of each kind. The markers contain the number of the round.
pub(crate) fn send(
    emulator: &Emulator,
    stack: &Stack,
    functions: &[String],
    round: &str,
) -> Result<Vec<PoisonMessage>, ChaosError> {
    let mut sent = Vec::new();
    let mut record = |content: &str, destination: &str, expected_queue: &str| {
        let marker = format!("{POISON_PREFIX}{round}-{}-x", sent.len());
        let description = format!("{content} in {destination}");
        let expected_queue = expected_queue.to_owned();
        sent.push(PoisonMessage { marker: marker.clone(), description, expected_queue });
        marker
    };
    for queue in &stack.queues {
        for (content, body) in MESSAGES {
            let marker = record(content, &queue.name, &queue.dead_letters);
            emulator.send_message(&queue.url, &body(&marker))?;
        }
    }
    if let Some(relay) = stack.dead_letters.get("Relay") {
        for (content, sort_key) in [("an invalid order", "ORDER#"), ("an invalid profile", "PROFILE")] {
            let marker = record(content, "the stream", relay);
            let sort_key = if sort_key == "PROFILE" { sort_key.to_owned() } else { format!("{sort_key}{marker}") };
            let item = json!({ "pk": {"S": format!("CUSTOMER#{marker}")}, "sk": {"S": sort_key} });
            emulator.put(&stack.table, &item)?;
        }
    }
    for (function, queue) in [("expire-orders", "ExpireOrders"), ("report-sales", "ReportSales")] {
        let deployed = functions.iter().find(|name| name.ends_with(function));
        let Some((deployed, dead_letters)) = deployed.zip(stack.dead_letters.get(queue)) else { continue };
        let marker = record("an invalid payload", function, dead_letters);
        emulator.invoke(deployed, &json!({ "day": marker, "time": marker }))?;
    }
    Ok(sent)
}

type Body = fn(&str) -> String;

const MESSAGES: [(&str, Body); 7] = [
    ("invalid JSON", |marker| format!("{{{marker}")),
    ("JSON that is not an event", |marker| json!([marker]).to_string()),
    ("an unknown type", |marker| event("ferrite.storefront", "ferrite.order.unknown.v1", "2026-11-22T22:00:00Z", marker)),
    ("an unknown version", |marker| event("ferrite.storefront", "ferrite.order.placed.v9", "2026-11-22T22:00:00Z", marker)),
    ("an unknown source", |marker| event("unknown", "ferrite.order.cancelled.v1", "2026-11-22T22:00:00Z", marker)),
    ("a payload without required fields", |marker| {
        event("ferrite.storefront", "ferrite.order.paid.v1", "2026-11-22T22:00:00Z", marker)
    }),
    ("an event that is too old", |marker| {
        event("ferrite.storefront", "ferrite.order.placed.v1", "1970-01-01T00:00:00Z", marker)
    }),
];

fn event(source: &str, event_type: &str, time: &str, marker: &str) -> String {
    let order = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";
    let total = json!({ "amount": 1, "currency": "EUR" });
    let mut data = json!({ "orderId": order, "customerId": marker, "lines": [], "total": total, "reason": "poison" });
    if event_type == "ferrite.order.paid.v1" {
        data = Value::Null;
    }
    let detail = json!({
        "specversion": "1.0", "id": marker, "source": source, "subject": order, "time": time, "type": event_type, "data": data,
    });
    json!({ "version": "0", "source": source, "detail-type": event_type, "detail": detail }).to_string()
}
