//! A snapshot of the data that the invariants check. It is taken after all work is done.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::emulator::{Emulator, reason};
use crate::error::ChaosError;
use crate::history::History;
use crate::poison::{POISON_PREFIX, PoisonMessage};
use crate::stack::Stack;
use ferrite_aws_client::emulator::Email;
use ferrite_chaos::writes::Write;

/// A product with its initial and current stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) initial: i64,
    pub(crate) stock: i64,
    /// Lowest stock that was read during the run.
    pub(crate) lowest: i64,
}

/// An order in the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) status: String,
    pub(crate) lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
}

/// A message in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) reason: Option<String>,
}

/// The data that the invariants check.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) products: Vec<Product>,
    pub(crate) orders: BTreeMap<String, Order>,
    /// Payment outcomes in the gateway's ledger, by order ID.
    pub(crate) ledger: BTreeMap<String, String>,
    /// Number of times that the gateway recorded an approved payment, by order ID.
    pub(crate) approvals: BTreeMap<String, u64>,
    pub(crate) emails: Vec<Email>,
    /// Number of clock hours that the run touched.
    pub(crate) clock_hours: u64,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) histories: BTreeMap<String, History>,
    pub(crate) poison: Vec<PoisonMessage>,
    /// Messages that are still in the queues of consumers.
    pub(crate) undelivered: Vec<String>,
    /// Number of calls that got no response although no fault was injected, by reason.
    pub(crate) unplanned_failures: BTreeMap<String, u64>,
}

/// Returns the orders in the table by ID, without poison items.
pub(crate) fn orders(emulator: &Emulator, stack: &Stack) -> Result<BTreeMap<String, Order>, ChaosError> {
    let items = emulator.scan(&stack.table)?;
    let orders = items.into_iter().filter(is_order).filter_map(|item| Order::deserialize(Value::from(item)).ok());
    Ok(orders.map(|order| (order.id.clone(), order)).collect())
}

fn is_order(item: &Map<String, Value>) -> bool {
    let attribute = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    attribute("sk").starts_with("ORDER#") && !attribute("pk").contains(POISON_PREFIX)
}

/// Returns the current stock of a product.
pub(crate) fn stock(emulator: &Emulator, stack: &Stack, product: &str) -> Result<i64, ChaosError> {
    let item = emulator.item(&stack.table, &format!("PRODUCT#{product}"), "PRODUCT")?;
    let stock = item.as_ref().and_then(|item| item.get("stock")?.as_i64());
    stock.ok_or_else(|| ChaosError::NotInStack(format!("product {product}")))
}

/// Returns the payment outcomes in the gateway's ledger by order ID.
pub(crate) fn ledger(emulator: &Emulator, stack: &Stack) -> Result<BTreeMap<String, String>, ChaosError> {
    let attribute = |item: &Map<String, Value>, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let items = emulator.scan(&stack.ledger)?;
    Ok(items.iter().filter_map(|item| Some((attribute(item, "orderId")?, attribute(item, "outcome")?))).collect())
}

/// Counts the writes to the ledger that record an approved payment, by order ID.
pub(crate) fn approvals(writes: &[Write]) -> BTreeMap<String, u64> {
    let mut approvals = BTreeMap::new();
    for Write { operation, request } in writes {
        let (order, outcome) = match operation.as_str() {
            "PutItem" => (&request["Item"]["orderId"]["S"], &request["Item"]["outcome"]["S"]),
            _ => (&request["Key"]["orderId"]["S"], &request["ExpressionAttributeValues"][":by"]["S"]),
        };
        if let Some(order) = order.as_str().filter(|_| outcome == "approved") {
            *approvals.entry(order.to_owned()).or_default() += 1;
        }
    }
    approvals
}

/// Returns the messages in all dead-letter queues.
pub(crate) fn dead_letters(emulator: &Emulator, stack: &Stack) -> Result<Vec<DeadLetter>, ChaosError> {
    let mut found = Vec::new();
    for url in stack.dead_letters.values() {
        let messages = emulator.messages(url)?.into_iter();
        found.extend(messages.map(|message| DeadLetter {
            queue: url.clone(),
            reason: reason(&message),
            body: message.body,
        }));
    }
    Ok(found)
}
