//! Key layout of the table. Only this module creates keys.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | product, with its images | `PRODUCT#<id>` | `PRODUCT` | `PRODUCTS` | `<id>` |
//! | customer | `CUSTOMER#<sub>` | `PROFILE` | | |
//! | order | `CUSTOMER#<sub>` | `ORDER#<id>` | while pending `PENDING#<shard>` | `<createdAt>#<id>` |
//! | | | | once paid `PAID#<day>#<shard>` | `<id>` |
//! | feedback about an e-mail address | `ADDRESS#<address>` | `FEEDBACK` | | |
//! | e-mails to a mailbox in one hour | `MAILBOX#<address>` | `EMAILS#<hour>` | | |
//! | confirmation e-mails to a mailbox | `MAILBOX#<address>` | `CONFIRMATIONS#<hour>` | | |
//! | confirmation e-mails of a customer | `CUSTOMER-EMAILS#<sub>` | `CONFIRMATIONS#<hour>` | | |
//! | saved response of an idempotency key | `IDEMPOTENCY#<sub>` | `PLACE-ORDER#<key>` | | |
//!
//! The partition key `NONE` is reserved for prewarming calls. No item has it.
//!
//! In template.yaml, the role of each function lists the partitions that the function may access
//! (`dynamodb:LeadingKeys`). When you add a type of item, add the prefix of its partition key there.
//!
//! Identifiers are UUIDv7, so sort keys that end with an identifier sort by creation time. Orders are stored in the
//! partition of their customer, so a lookup of another customer's order finds nothing, and no separate permission check
//! is needed.
//!
//! `gsi1` lists all products in one partition, which limits it to 1,000 writes per second. Product edits stay far below
//! that, but every order changes the stock and therefore writes to the index too. If your shop exceeds the limit, shard
//! `PRODUCTS` or store the stock in a separate item.
//!
//! Orders change more often, so each list of orders is spread over [`Shard::COUNT`] partitions. An order that is
//! neither pending nor paid is in no list.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::{Day, IdempotencyKey, Timestamp};
use ferrite_domain::{CustomerId, EmailCounter, OrderId, OrderPosition, ProductId, Shard};

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

/// Start key of a page of the product list: the key of the product `id`, after which the page starts.
pub(super) fn product_list_key(id: ProductId) -> Key {
    let mut key = product(id);
    key.insert("gsi1pk".to_owned(), string(ALL_PRODUCTS));
    key.insert("gsi1sk".to_owned(), string(id));
    key
}

pub(super) fn customer_partition(customer: &CustomerId) -> String {
    format!("CUSTOMER#{customer}")
}

pub(super) fn order_sort_key(id: OrderId) -> String {
    format!("{ORDER}{id}")
}

pub(super) fn order(customer: &CustomerId, id: OrderId) -> Key {
    key(customer_partition(customer), order_sort_key(id))
}

pub(super) fn pending_orders_partition(shard: Shard) -> String {
    format!("PENDING#{shard}")
}

/// Sort key of a pending order. It sorts by placement time.
pub(super) fn pending_order_sort_key(placed_at: Timestamp, id: OrderId) -> String {
    format!("{placed_at}#{id}")
}

/// Start key of a page of the pending orders: the key of the order at `position`, after which the page starts.
pub(super) fn pending_order_key(shard: Shard, position: &OrderPosition) -> Key {
    let mut key = order(&position.customer, position.id);
    key.insert("gsi1pk".to_owned(), string(pending_orders_partition(shard)));
    key.insert("gsi1sk".to_owned(), string(pending_order_sort_key(position.created_at, position.id)));
    key
}

pub(super) fn paid_orders_partition(day: Day, shard: Shard) -> String {
    format!("PAID#{day}#{shard}")
}

/// Start key of a page of the orders paid on a day: the key of the order at `position`, after which the page starts.
pub(super) fn paid_order_key(day: Day, shard: Shard, position: &OrderPosition) -> Key {
    let mut key = order(&position.customer, position.id);
    key.insert("gsi1pk".to_owned(), string(paid_orders_partition(day, shard)));
    key.insert("gsi1sk".to_owned(), string(position.id));
    key
}

pub(super) fn profile(customer: &CustomerId) -> Key {
    key(customer_partition(customer), PROFILE.to_owned())
}

pub(super) fn place_order_response(customer: &CustomerId, idempotency_key: &IdempotencyKey) -> Key {
    key(format!("IDEMPOTENCY#{customer}"), format!("PLACE-ORDER#{idempotency_key}"))
}

/// `address` is in lower case, because feedback applies to all ways to write it.
pub(super) fn email_feedback(address: &str) -> Key {
    key(format!("ADDRESS#{address}"), "FEEDBACK".to_owned())
}

pub(super) fn emails_in_hour(counter: EmailCounter<'_>, time: Timestamp) -> Key {
    let (pk, kind) = match counter {
        EmailCounter::Mailbox(to) => (format!("MAILBOX#{}", to.mailbox()), "EMAILS"),
        EmailCounter::MailboxConfirmations(to) => (format!("MAILBOX#{}", to.mailbox()), "CONFIRMATIONS"),
        EmailCounter::CustomerConfirmations(customer) => (format!("CUSTOMER-EMAILS#{customer}"), "CONFIRMATIONS"),
    };
    // The first 13 characters of an RFC 3339 time are the date and the hour, such as `2026-11-29T20`.
    let time = time.to_string();
    key(pk, format!("{kind}#{}", time.get(..13).unwrap_or(&time)))
}
