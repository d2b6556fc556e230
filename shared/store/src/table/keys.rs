//! The layout of the table's keys. Nothing outside this module writes one.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | product, with its images | `PRODUCT#<id>` | `PRODUCT` | `PRODUCTS` | `<id>` |
//! | customer | `CUSTOMER#<sub>` | `PROFILE` | | |
//! | order | `CUSTOMER#<sub>` | `ORDER#<id>` | while pending `PENDING#<shard>` | `<createdAt>#<id>` |
//! | | | | once paid `PAID#<day>#<shard>` | `<id>` |
//! | answer saved under an idempotency key | `IDEMPOTENCY#<sub>` | `PLACE-ORDER#<key>` | | |
//!
//! No item's `pk` is `NONE`: that is what a call names that is made for its connection alone.
//!
//! In template.yaml, each function's role names those of these partitions that the function touches (`dynamodb:LeadingKeys`):
//! what a new kind of item begins with belongs there as well.
//!
//! Identifiers are UUIDv7, so sort keys that end in one sort by time of creation. An order's partition is its
//! customer's: another customer's order is not refused, it is not there.
//!
//! `gsi1` lists the products from one partition. That bounds it to 1,000 writes a second, which is far more than
//! products are edited; stock changes with every order, though, and each is a write to the index as well. A shop that
//! sells more than that shards `PRODUCTS`, or keeps stock in an item of its own.
//!
//! Orders come and go faster, so each listing of them is spread over [`Shard::COUNT`] partitions, and an order is in none
//! once it is neither pending nor paid.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::{Day, IdempotencyKey, Timestamp};
use ferrite_domain::{CustomerId, OrderId, OrderPosition, ProductId, Shard};

pub(super) const NO_PARTITION: &str = "NONE";
pub(super) const LIST_INDEX: &str = "gsi1";
pub(super) const ALL_PRODUCTS: &str = "PRODUCTS";
pub(super) const PRODUCT: &str = "PRODUCT";
pub(super) const ORDER: &str = "ORDER#";
pub(super) const PROFILE: &str = "PROFILE";

pub(super) type Key = HashMap<String, AttributeValue>;

pub(super) fn string(text: impl ToString) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

pub(super) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn key(pk: String, sk: String) -> Key {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), AttributeValue::S(sk))])
}

pub(super) fn no_item() -> Key {
    key(NO_PARTITION.to_owned(), NO_PARTITION.to_owned())
}

pub(super) fn product_partition(id: ProductId) -> String {
    format!("PRODUCT#{id}")
}

pub(super) fn product(id: ProductId) -> Key {
    key(product_partition(id), PRODUCT.to_owned())
}

/// Where a page of the product list begins: after the product `id`.
pub(super) fn product_in_list(id: ProductId) -> Key {
    let mut key = product(id);
    key.insert("gsi1pk".to_owned(), string(ALL_PRODUCTS));
    key.insert("gsi1sk".to_owned(), string(id));
    key
}

pub(super) fn customer_partition(customer: &CustomerId) -> String {
    format!("CUSTOMER#{customer}")
}

pub(super) fn order_sort(id: OrderId) -> String {
    format!("{ORDER}{id}")
}

pub(super) fn order(customer: &CustomerId, id: OrderId) -> Key {
    key(customer_partition(customer), order_sort(id))
}

pub(super) fn pending_orders(shard: Shard) -> String {
    format!("PENDING#{shard}")
}

/// Sorts by the time of placing first.
pub(super) fn pending_order_sort(placed_at: Timestamp, id: OrderId) -> String {
    format!("{placed_at}#{id}")
}

/// Where a page of the pending orders begins: after the order at `position`.
pub(super) fn order_among_pending(shard: Shard, position: &OrderPosition) -> Key {
    let mut key = order(&position.customer, position.id);
    key.insert("gsi1pk".to_owned(), string(pending_orders(shard)));
    key.insert("gsi1sk".to_owned(), string(pending_order_sort(position.created_at, position.id)));
    key
}

pub(super) fn paid_orders(day: Day, shard: Shard) -> String {
    format!("PAID#{day}#{shard}")
}

/// Where a page of the orders paid on a day begins: after the order at `position`.
pub(super) fn order_among_paid(day: Day, shard: Shard, position: &OrderPosition) -> Key {
    let mut key = order(&position.customer, position.id);
    key.insert("gsi1pk".to_owned(), string(paid_orders(day, shard)));
    key.insert("gsi1sk".to_owned(), string(position.id));
    key
}

pub(super) fn profile(customer: &CustomerId) -> Key {
    key(customer_partition(customer), PROFILE.to_owned())
}

pub(super) fn place_order_response(customer: &CustomerId, idempotency_key: &IdempotencyKey) -> Key {
    key(format!("IDEMPOTENCY#{customer}"), format!("PLACE-ORDER#{idempotency_key}"))
}
