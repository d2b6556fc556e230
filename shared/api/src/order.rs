//! JSON bodies for orders.

use deserr::Deserr;
use ferrite_core::{Reason, Timestamp, ValueError};
use ferrite_domain::{LineRequest, Money, Order, OrderId, OrderLine, PaymentToken, PlacementRequest, ProductId, Quantity};
use ferrite_runtime::http::{InvalidBody, Problem};
use serde::Serialize;

/// Products and quantities to order, and the payment token to charge.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "NewOrder", deny_unknown_fields, rename_all = "camelCase")
)]
pub struct PlaceOrderBody {
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PlacementRequest::MAX_LINES), extend("uniqueItems" = true)))]
    lines: Vec<LineBody>,
    #[deserr(try_from(String) = PaymentToken::try_from -> ValueError)]
    payment_token: PaymentToken,
}

#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "NewOrderLine", deny_unknown_fields, rename_all = "camelCase")
)]
struct LineBody {
    #[deserr(try_from(String) = ProductId::try_from -> ValueError)]
    product_id: ProductId,
    #[deserr(try_from(u64) = Quantity::try_from -> ValueError)]
    quantity: Quantity,
}

impl TryFrom<PlaceOrderBody> for PlacementRequest {
    type Error = Problem;

    fn try_from(body: PlaceOrderBody) -> Result<Self, Problem> {
        let lines = body.lines.into_iter().map(|line| LineRequest { product: line.product_id, quantity: line.quantity });
        Self::new(lines.collect(), body.payment_token).map_err(|error| {
            let message = match error {
                ValueError::OutOfRange { min, max } => format!("must contain {min} to {max} entries"),
                ValueError::Repeated => "must not contain the same product twice".to_owned(),
                other => other.to_string(),
            };
            Problem::invalid(Vec::new()).field("lines", message)
        })
    }
}

/// An order of the customer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Order"))]
pub struct OrderBody {
    id: OrderId,
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["pending", "paid", "payment_failed", "cancelled"])))]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: Option<Reason>,
    lines: Vec<OrderLine>,
    total: Money,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            status: order.status.as_str(),
            reason: order.status.reason().cloned(),
            lines: order.lines,
            total: order.total,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}
