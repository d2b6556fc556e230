//! An order as an item of the table, and as an image of that item in the table's stream.

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
    listed: Option<Listed>,
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
    /// Of the last change: the table's stream carries nothing but the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

/// Where the order is listed in the index, if it is.
#[derive(Serialize, Deserialize)]
struct Listed {
    gsi1pk: String,
    gsi1sk: String,
}

fn listed(order: &Order) -> Option<Listed> {
    let shard = Shard::of(order.id);
    match order.status {
        OrderStatus::Pending => Some(Listed {
            gsi1pk: keys::pending_orders(shard),
            gsi1sk: keys::pending_order_sort(order.created_at, order.id),
        }),
        // Nothing changes an order any more that is paid, so this is when it was.
        OrderStatus::Paid => {
            Some(Listed { gsi1pk: keys::paid_orders(order.updated_at.day(), shard), gsi1sk: order.id.to_string() })
        }
        OrderStatus::PaymentFailed { .. } | OrderStatus::Cancelled { .. } => None,
    }
}

pub(super) fn write(order: &Order, trace_context: &TraceContext) -> Result<HashMap<String, AttributeValue>, PortError> {
    let order = order.clone();
    let item = OrderItem {
        pk: keys::customer_partition(&order.customer),
        sk: keys::order_sort(order.id),
        listed: listed(&order),
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

/// The order, and what set its last change off.
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
