//! Everything that is compared in the end, read once the system is at rest.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::StormError;
use super::customer::Diary;
use super::emulator::{Emulator, Mail};
use super::poison::{NOBODY, Poison};
use super::stack::Stack;
use crate::Write;

/// A product: what there was of it, and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) initial: i64,
    pub(crate) stock: i64,
    /// The least that was ever seen.
    pub(crate) lowest: i64,
}

/// An order as the table has it.
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

/// What lies in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) reason: Option<String>,
}

/// Everything that is compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) products: Vec<Product>,
    pub(crate) orders: BTreeMap<String, Order>,
    /// What the gateway's ledger has for each order.
    pub(crate) ledger: BTreeMap<String, String>,
    /// How often the gateway wrote down for an order that its payment is approved.
    pub(crate) approvals: BTreeMap<String, u64>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) diaries: BTreeMap<String, Diary>,
    pub(crate) poison: Vec<Poison>,
    /// What still lies in consumers' queues.
    pub(crate) undelivered: Vec<String>,
    /// What left calls without an answer although nobody had planned it, and how often.
    pub(crate) unplanned: BTreeMap<String, u64>,
}

/// The orders of the table, but for those that were planted.
pub(crate) fn orders(emulator: &Emulator, stack: &Stack) -> Result<BTreeMap<String, Order>, StormError> {
    let items = emulator.scan(&stack.table)?;
    let orders = items.into_iter().filter(is_order).filter_map(|item| Order::deserialize(Value::from(item)).ok());
    Ok(orders.map(|order| (order.id.clone(), order)).collect())
}

fn is_order(item: &Map<String, Value>) -> bool {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    text("sk").starts_with("ORDER#") && !text("pk").contains(NOBODY)
}

/// The pieces that there are of a product.
pub(crate) fn stock(emulator: &Emulator, stack: &Stack, product: &str) -> Result<i64, StormError> {
    let item = emulator.item(&stack.table, &format!("PRODUCT#{product}"), "PRODUCT")?;
    let stock = item.as_ref().and_then(|item| item.get("stock")?.as_i64());
    stock.ok_or_else(|| StormError::NotInStack(format!("product {product}")))
}

/// What the gateway decided for each order.
pub(crate) fn ledger(emulator: &Emulator, stack: &Stack) -> Result<BTreeMap<String, String>, StormError> {
    let text = |item: &Map<String, Value>, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let lines = emulator.scan(&stack.ledger)?;
    Ok(lines.iter().filter_map(|line| Some((text(line, "orderId")?, text(line, "outcome")?))).collect())
}

/// How often an approval was written down for each order.
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

/// What lies in all dead-letter queues.
pub(crate) fn dead_letters(emulator: &Emulator, stack: &Stack) -> Result<Vec<DeadLetter>, StormError> {
    let mut found = Vec::new();
    for url in stack.dead_letters.values() {
        let messages = emulator.messages(url)?.into_iter();
        found.extend(messages.map(|message| DeadLetter {
            queue: url.clone(),
            reason: message.reason(),
            body: message.body,
        }));
    }
    Ok(found)
}
