//! Poison messages, which the system must move to a dead-letter queue with a reason.

use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::error::ChaosError;
use crate::stack::Stack;

/// A poison message, and where it must end up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poison {
    /// A mark in the body of this dead letter only.
    pub(crate) mark: String,
    pub(crate) what: String,
    /// The dead-letter queue that it must end up in.
    pub(crate) expected_queue: String,
}

/// The prefix of customer ids that only poison has.
pub(crate) const POISON_PREFIX: &str = "poison-";

/// Sends one of each kind, marked with the number of the round.
pub(crate) fn send(
    emulator: &Emulator,
    stack: &Stack,
    functions: &[String],
    round: &str,
) -> Result<Vec<Poison>, ChaosError> {
    let mut sent = Vec::new();
    let mut note = |what: &str, at: &str, expected_queue: &str| {
        let mark = format!("{POISON_PREFIX}{round}-{}-x", sent.len());
        sent.push(Poison { mark: mark.clone(), what: format!("{what} in {at}"), expected_queue: expected_queue.to_owned() });
        mark
    };
    for queue in &stack.queues {
        for (what, body) in MESSAGES {
            let mark = note(what, &queue.name, &queue.dead_letters);
            emulator.send_message(&queue.url, &body(&mark))?;
        }
    }
    if let Some(relay) = stack.dead_letters.get("Relay") {
        for (what, sort_key) in [("an order that is none", "ORDER#"), ("a profile that is none", "PROFILE")] {
            let mark = note(what, "the stream", relay);
            let sort_key = if sort_key == "PROFILE" { sort_key.to_owned() } else { format!("{sort_key}{mark}") };
            let item = json!({ "pk": {"S": format!("CUSTOMER#{mark}")}, "sk": {"S": sort_key} });
            emulator.put(&stack.table, &item)?;
        }
    }
    for (function, queue) in [("expire-orders", "ExpireOrders"), ("report-sales", "ReportSales")] {
        let deployed = functions.iter().find(|name| name.ends_with(function));
        let Some((deployed, dead_letters)) = deployed.zip(stack.dead_letters.get(queue)) else { continue };
        let mark = note("a payload that is nonsense", function, dead_letters);
        emulator.invoke(deployed, &json!({ "day": mark, "time": mark }))?;
    }
    Ok(sent)
}

type Body = fn(&str) -> String;

const MESSAGES: [(&str, Body); 7] = [
    ("no JSON", |mark| format!("{{{mark}")),
    ("JSON that is no event", |mark| json!([mark]).to_string()),
    ("an unknown type", |mark| event("ferrite.storefront", "ferrite.order.teleported.v1", "2026-11-22T22:00:00Z", mark)),
    ("an unknown version", |mark| event("ferrite.storefront", "ferrite.order.placed.v9", "2026-11-22T22:00:00Z", mark)),
    ("a foreign source", |mark| event("elsewhere", "ferrite.order.cancelled.v1", "2026-11-22T22:00:00Z", mark)),
    ("a payload without its fields", |mark| {
        event("ferrite.storefront", "ferrite.order.paid.v1", "2026-11-22T22:00:00Z", mark)
    }),
    ("an event far too old", |mark| event("ferrite.storefront", "ferrite.order.placed.v1", "1970-01-01T00:00:00Z", mark)),
];

fn event(source: &str, kind: &str, time: &str, mark: &str) -> String {
    let order = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";
    let total = json!({ "amount": 1, "currency": "EUR" });
    let mut data = json!({ "orderId": order, "customerId": mark, "lines": [], "total": total, "reason": "poison" });
    if kind == "ferrite.order.paid.v1" {
        data = Value::Null;
    }
    let detail = json!({
        "specversion": "1.0", "id": mark, "source": source, "subject": order, "time": time, "type": kind, "data": data,
    });
    json!({ "version": "0", "source": source, "detail-type": kind, "detail": detail }).to_string()
}
