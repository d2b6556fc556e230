//! The layout of the table's keys. Nothing outside this module writes one.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | product, with its images | `PRODUCT#<id>` | `PRODUCT` | `PRODUCTS` | `<id>` |
//! | order | `CUSTOMER#<sub>` | `ORDER#<id>` | | |
//! | answer saved under an idempotency key | `IDEMPOTENCY#<sub>` | `PLACE-ORDER#<key>` | | |
//!
//! No item's `pk` is `NONE`: that is what a call names that is made for its connection alone.
//!
//! Identifiers are UUIDv7, so sort keys that end in one sort by time of creation. An order's partition is its
//! customer's: another customer's order is not refused, it is not there.
//!
//! `gsi1` lists the products from one partition. That bounds it to 1,000 writes a second, which is far more than
//! products are edited; stock changes with every order, though, and each is a write to the index as well. A shop that
//! sells more than that shards `PRODUCTS`, or keeps stock in an item of its own.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_domain::{CustomerId, IdempotencyKey, OrderId, ProductId};

pub(super) const NO_PARTITION: &str = "NONE";
pub(super) const LIST_INDEX: &str = "gsi1";
pub(super) const ALL_PRODUCTS: &str = "PRODUCTS";
pub(super) const PRODUCT: &str = "PRODUCT";
pub(super) const ORDER: &str = "ORDER#";

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

pub(super) fn place_order_answer(customer: &CustomerId, idempotency_key: &IdempotencyKey) -> Key {
    key(format!("IDEMPOTENCY#{customer}"), format!("PLACE-ORDER#{idempotency_key}"))
}
