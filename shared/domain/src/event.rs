//! The storefront's domain events and their payloads.

use ferrite_core::{Event, Reason};
use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use crate::PlacementRequest;
use crate::{CustomerId, Money, OrderId, OrderLine};

/// A customer placed an order. Its stock is reserved and its payment is pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// Identifier of the order.
    pub order_id: OrderId,
    /// The customer who placed the order.
    pub customer_id: CustomerId,
    /// The ordered products and quantities.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PlacementRequest::MAX_LINES)))]
    pub lines: Vec<OrderLine>,
    /// Total price of the order.
    pub total: Money,
}

/// An order was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// Identifier of the order.
    pub order_id: OrderId,
    /// The customer who placed the order.
    pub customer_id: CustomerId,
    /// The amount paid.
    pub total: Money,
}

/// The payment of an order was declined. Its stock was returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPaymentFailed {
    /// Identifier of the order.
    pub order_id: OrderId,
    /// The customer who placed the order.
    pub customer_id: CustomerId,
    /// The reason, shown to the customer.
    pub reason: Reason,
}

/// An order was cancelled. Its stock was returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Identifier of the order.
    pub order_id: OrderId,
    /// The customer who placed the order.
    pub customer_id: CustomerId,
    /// The reason, shown to the customer.
    pub reason: Reason,
    /// Total price of the cancelled order.
    pub total: Money,
}

/// A customer registered. The event does not contain the customer's name or e-mail address; they are only in the
/// profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CustomerRegistered {
    /// Identifier of the customer.
    pub customer_id: CustomerId,
}

/// A registered customer's e-mail address has to be confirmed: the customer changed it, or requested another
/// confirmation e-mail. The event does not contain the address or the token; they are only in the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EmailConfirmationRequested {
    /// Identifier of the customer.
    pub customer_id: CustomerId,
}

/// All domain events of the storefront.
///
/// A payload change that existing consumers cannot read requires a new event type (`….v2`). The old type stays in
/// place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data")]
pub enum DomainEvent {
    /// A customer placed an order.
    #[serde(rename = "ferrite.order.placed.v1")]
    OrderPlaced(OrderPlaced),
    /// An order was paid.
    #[serde(rename = "ferrite.order.paid.v1")]
    OrderPaid(OrderPaid),
    /// The payment of an order was declined.
    #[serde(rename = "ferrite.order.payment-failed.v1")]
    OrderPaymentFailed(OrderPaymentFailed),
    /// An order was cancelled.
    #[serde(rename = "ferrite.order.cancelled.v1")]
    OrderCancelled(OrderCancelled),
    /// A customer registered.
    #[serde(rename = "ferrite.customer.registered.v1")]
    CustomerRegistered(CustomerRegistered),
    /// A registered customer's e-mail address has to be confirmed.
    #[serde(rename = "ferrite.customer.email-confirmation-requested.v1")]
    EmailConfirmationRequested(EmailConfirmationRequested),
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
            Self::EmailConfirmationRequested(_) => "ferrite.customer.email-confirmation-requested.v1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serializes_with_its_event_type() {
        let order_id: OrderId = "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap();
        let total: Money = serde_json::from_str(r#"{"amount": 3500, "currency": "EUR"}"#).unwrap();
        let customer = || CustomerId::try_from("ada".to_owned()).unwrap();
        let reason = || Reason::from_lossy("late");
        for event in [
            DomainEvent::OrderPlaced(OrderPlaced { order_id, customer_id: customer(), lines: Vec::new(), total }),
            DomainEvent::OrderPaid(OrderPaid { order_id, customer_id: customer(), total }),
            DomainEvent::OrderPaymentFailed(OrderPaymentFailed { order_id, customer_id: customer(), reason: reason() }),
            DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id: customer(), reason: reason(), total }),
            DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer() }),
            DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id: customer() }),
        ] {
            assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.event_type());
        }
    }
}
