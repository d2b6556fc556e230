//! Item format of an order in the table and its stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext, Version};
use ferrite_domain::{CustomerId, Money, Order, OrderId, OrderLine, OrderStatus, PaymentToken, Shard};
use serde::{Deserialize, Serialize};

use super::keys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderItem {
    pk: String,
    sk: String,
    #[serde(flatten)]
    index_keys: Option<IndexKeys>,
    id: OrderId,
    customer_id: CustomerId,
    #[serde(flatten)]
    status: OrderStatus,
    lines: Vec<OrderLine>,
    total: Money,
    payment_token: PaymentToken,
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Trace context of the last change. It is stored because stream records contain only the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

/// Keys of the order in the index.
#[derive(Serialize, Deserialize)]
struct IndexKeys {
    gsi1pk: String,
    gsi1sk: String,
}

/// Returns the index keys of the order, or `None` if the order is not in the index.
fn index_keys(order: &Order) -> Option<IndexKeys> {
    let shard = Shard::of(order.id);
    match order.status {
        OrderStatus::Pending => Some(IndexKeys {
            gsi1pk: keys::pending_orders_partition(shard),
            gsi1sk: keys::pending_order_sort_key(order.created_at, order.id),
        }),
        // A paid order does not change anymore, so `updated_at` is the time of payment.
        OrderStatus::Paid => Some(IndexKeys {
            gsi1pk: keys::paid_orders_partition(order.updated_at.day(), shard),
            gsi1sk: order.id.to_string(),
        }),
        OrderStatus::PaymentFailed { .. } | OrderStatus::Cancelled { .. } => None,
    }
}

pub(super) fn write(order: &Order, trace_context: &TraceContext) -> Result<HashMap<String, AttributeValue>, PortError> {
    let order = order.clone();
    let item = OrderItem {
        pk: keys::customer_partition(&order.customer),
        sk: keys::order_sort_key(order.id),
        index_keys: index_keys(&order),
        id: order.id,
        customer_id: order.customer,
        status: order.status,
        lines: order.lines,
        total: order.total,
        payment_token: order.payment_token,
        version: order.version,
        created_at: order.created_at,
        updated_at: order.updated_at,
        trace_context: trace_context.clone(),
    };
    serde_dynamo::to_item(item).map_err(|error| PortError::new("writing an order item", error))
}

pub(super) fn read(item: impl Into<serde_dynamo::Item>) -> Result<Order, PortError> {
    read_with_trace_context(item).map(|(order, _)| order)
}

/// Reads the order and the trace context of its last change.
pub(super) fn read_with_trace_context(item: impl Into<serde_dynamo::Item>) -> Result<(Order, TraceContext), PortError> {
    let item: OrderItem =
        serde_dynamo::from_item(item.into()).map_err(|error| PortError::new("reading an order item", error))?;
    let order = Order {
        id: item.id,
        customer: item.customer_id,
        status: item.status,
        lines: item.lines,
        total: item.total,
        payment_token: item.payment_token,
        version: item.version,
        created_at: item.created_at,
        updated_at: item.updated_at,
    };
    Ok((order, item.trace_context))
}
