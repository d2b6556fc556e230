//! The storefront's events and their payloads.

use ferrite_core::{Event, Reason};
use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use crate::PlacementRequest;
use crate::{CustomerId, Money, OrderId, OrderLine};

/// A customer placed an order; its stock is taken and its payment is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What was ordered.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PlacementRequest::MAX_LINES)))]
    pub lines: Vec<OrderLine>,
    /// What it costs.
    pub total: Money,
}

/// An order was paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What was paid.
    pub total: Money,
}

/// An order's payment was declined and its stock went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPaymentFailed {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Why, for the customer.
    pub reason: Reason,
}

/// An order was cancelled and its stock went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Why, for the customer.
    pub reason: Reason,
    /// What it would have cost.
    pub total: Money,
}

/// A customer registered. How to reach them and what to call them is in their profile alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CustomerRegistered {
    /// Who they are.
    pub customer_id: CustomerId,
}

/// Every event of the storefront. A payload change that existing consumers cannot read becomes a new type (`….v2`) beside
/// the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data")]
pub enum DomainEvent {
    /// A customer placed an order.
    #[serde(rename = "ferrite.order.placed.v1")]
    OrderPlaced(OrderPlaced),
    /// An order was paid for.
    #[serde(rename = "ferrite.order.paid.v1")]
    OrderPaid(OrderPaid),
    /// An order's payment was declined.
    #[serde(rename = "ferrite.order.payment-failed.v1")]
    OrderPaymentFailed(OrderPaymentFailed),
    /// An order was cancelled.
    #[serde(rename = "ferrite.order.cancelled.v1")]
    OrderCancelled(OrderCancelled),
    /// A customer registered.
    #[serde(rename = "ferrite.customer.registered.v1")]
    CustomerRegistered(CustomerRegistered),
}

impl Event for DomainEvent {
    const SOURCE: &'static str = "ferrite.storefront";

    fn event_type(&self) -> &'static str {
        match self {
            Self::OrderPlaced(_) => "ferrite.order.placed.v1",
            Self::OrderPaid(_) => "ferrite.order.paid.v1",
            Self::OrderPaymentFailed(_) => "ferrite.order.payment-failed.v1",
            Self::OrderCancelled(_) => "ferrite.order.cancelled.v1",
            Self::CustomerRegistered(_) => "ferrite.customer.registered.v1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_its_event_type() {
        let (order_id, total): (OrderId, Money) = (
            "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap(),
            serde_json::from_str(r#"{"amount": 3500, "currency": "EUR"}"#).unwrap(),
        );
        let (customer_id, reason) = (CustomerId::try_from("ada".to_owned()).unwrap(), Reason::from_lossy("late"));
        let (customer, why) = (|| customer_id.clone(), || reason.clone());
        for event in [
            DomainEvent::OrderPlaced(OrderPlaced { order_id, customer_id: customer(), lines: Vec::new(), total }),
            DomainEvent::OrderPaid(OrderPaid { order_id, customer_id: customer(), total }),
            DomainEvent::OrderPaymentFailed(OrderPaymentFailed { order_id, customer_id: customer(), reason: why() }),
            DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id: customer(), reason: why(), total }),
            DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer() }),
        ] {
            assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.event_type());
        }
    }
}
