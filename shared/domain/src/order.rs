//! Orders: placement, pricing, and the state machine of the order status.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_core::{Reason, Timestamp, ValueError, Version};
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Money, OrderId, PaymentToken, Product, ProductId, Quantity};

/// Cancellation reason used when the customer cancels the order.
const CANCELLED_BY_CUSTOMER: &str = "cancelled by the customer";

/// Cancellation reason used when the order stays pending for too long.
const NOT_PAID_IN_TIME: &str = "payment was not received in time";

/// Status of an order.
///
/// ```text
/// pending ──► paid
///    ├──────► payment_failed
///    └──────► cancelled
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OrderStatus {
    /// The order is placed and its stock is reserved. The payment is not decided yet.
    Pending,
    /// The order is paid.
    Paid,
    /// The payment was declined and the stock was returned.
    PaymentFailed {
        /// The reason, shown to the customer.
        reason: Reason,
    },
    /// The order was cancelled and the stock was returned.
    Cancelled {
        /// The reason, shown to the customer.
        reason: Reason,
    },
}

impl OrderStatus {
    /// Returns the status as it is written in table keys, condition expressions, and API responses.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Returns the reason of a failed payment or a cancellation.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Pending | Self::Paid => None,
            Self::PaymentFailed { reason } | Self::Cancelled { reason } => Some(reason),
        }
    }
}

/// One line of an order: a quantity of a product, at the price when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// The ordered product.
    pub product_id: ProductId,
    /// Number of units ordered.
    pub quantity: Quantity,
    /// Price of one unit.
    pub unit_price: Money,
}

/// One requested order line: a quantity of a product, without a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRequest {
    /// The requested product.
    pub product: ProductId,
    /// Number of units requested.
    pub quantity: Quantity,
}

/// A request to place an order: 1 to [`PlacementRequest::MAX_LINES`] lines, each for a different product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRequest {
    lines: Vec<LineRequest>,
    payment_token: PaymentToken,
}

impl PlacementRequest {
    /// Maximum number of lines in one order. One `TransactWriteItems` call writes all lines, the order, and the
    /// idempotency record; DynamoDB limits the call to 100 items.
    pub const MAX_LINES: usize = 50;

    /// Creates a request after checking its lines.
    ///
    /// # Errors
    /// Returns an error if there are no lines, too many lines, or two lines for the same product.
    pub fn new(lines: Vec<LineRequest>, payment_token: PaymentToken) -> Result<Self, ValueError> {
        if lines.is_empty() || lines.len() > Self::MAX_LINES {
            return Err(ValueError::OutOfRange { min: 1, max: Self::MAX_LINES as u64 });
        }
        let products: BTreeSet<_> = lines.iter().map(|line| line.product).collect();
        if products.len() < lines.len() {
            return Err(ValueError::Repeated);
        }
        Ok(Self { lines, payment_token })
    }

    /// Returns the requested lines.
    pub fn lines(&self) -> &[LineRequest] {
        &self.lines
    }

    /// Returns the requested products. Each product occurs once.
    pub fn product_ids(&self) -> Vec<ProductId> {
        self.lines.iter().map(|line| line.product).collect()
    }

    /// Creates the order at the current prices of `products`.
    ///
    /// # Errors
    /// Returns the reason that the order cannot be placed. The error lists every affected line or product.
    pub fn price(
        self,
        id: OrderId,
        customer: CustomerId,
        products: &BTreeMap<ProductId, Product>,
        now: Timestamp,
    ) -> Result<Order, PricingError> {
        let unknown: Vec<usize> =
            (0..self.lines.len()).filter(|&i| !products.contains_key(&self.lines[i].product)).collect();
        if !unknown.is_empty() {
            return Err(PricingError::UnknownProducts { lines: unknown });
        }
        let short = |line: &&LineRequest| products.get(&line.product).is_some_and(|p| p.stock.get() < line.quantity.get());
        let short: Vec<ProductId> = self.lines.iter().filter(short).map(|line| line.product).collect();
        if !short.is_empty() {
            return Err(PricingError::OutOfStock { products: short });
        }

        let lines: Vec<OrderLine> = self
            .lines
            .iter()
            .filter_map(|line| {
                let unit_price = products.get(&line.product)?.price;
                Some(OrderLine { product_id: line.product, quantity: line.quantity, unit_price })
            })
            .collect();
        Ok(Order {
            id,
            customer,
            total: total(&lines)?,
            lines,
            status: OrderStatus::Pending,
            payment_token: self.payment_token,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        })
    }
}

fn total(lines: &[OrderLine]) -> Result<Money, PricingError> {
    let mut currencies = lines.iter().map(|line| line.unit_price.currency);
    let first = currencies.next();
    if currencies.any(|currency| Some(currency) != first) {
        return Err(PricingError::MixedCurrencies);
    }
    lines
        .iter()
        .map(|line| line.unit_price.times(line.quantity))
        .reduce(|sum, next| sum?.plus(next?))
        .flatten()
        .ok_or(PricingError::TotalTooLarge)
}

/// Reason that a requested order cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Some of the requested products do not exist.
    #[error("some lines contain a product that does not exist")]
    UnknownProducts {
        /// Zero-based indexes of the affected lines.
        lines: Vec<usize>,
    },
    /// The products have prices in different currencies, so there is no total.
    #[error("all products in an order must be priced in the same currency")]
    MixedCurrencies,
    /// The total is more than [`crate::Amount::MAX`].
    #[error("the total exceeds the maximum order amount")]
    TotalTooLarge,
    /// The stock of some products is less than the requested quantity.
    #[error("not enough stock")]
    OutOfStock {
        /// The products with too little stock.
        products: Vec<ProductId>,
    },
}

/// A customer's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's identifier.
    pub id: OrderId,
    /// The customer who placed the order.
    pub customer: CustomerId,
    /// The current status.
    pub status: OrderStatus,
    /// The ordered products and quantities.
    pub lines: Vec<OrderLine>,
    /// Total price of all lines.
    pub total: Money,
    /// The token that the payment gateway charges.
    pub payment_token: PaymentToken,
    /// Incremented with each change. Consumers can use it to order events that arrive out of order.
    pub version: Version,
    /// When the order was placed.
    pub created_at: Timestamp,
    /// When the order last changed.
    pub updated_at: Timestamp,
}

impl Order {
    /// Marks the order as paid.
    ///
    /// # Errors
    /// Returns an error if the order is not pending.
    pub fn pay(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Paid, now)
    }

    /// Marks the payment as declined and returns the stock.
    ///
    /// # Errors
    /// Returns an error if the order is not pending.
    pub fn fail_payment(self, reason: Reason, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::PaymentFailed { reason }, now)
    }

    /// Cancels the order at the customer's request and returns the stock.
    ///
    /// # Errors
    /// Returns an error if the order is not pending.
    pub fn cancel(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Cancelled { reason: Reason::from_lossy(CANCELLED_BY_CUSTOMER) }, now)
    }

    /// Cancels an order that was pending for too long and returns the stock.
    ///
    /// # Errors
    /// Returns an error if the order is not pending.
    pub fn expire(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Cancelled { reason: Reason::from_lossy(NOT_PAID_IN_TIME) }, now)
    }

    /// Returns the order's position in listings of all customers' orders.
    pub fn position(&self) -> OrderPosition {
        OrderPosition { created_at: self.created_at, id: self.id, customer: self.customer.clone() }
    }

    fn leave_pending(self, to: OrderStatus, now: Timestamp) -> Result<Transition, TransitionError> {
        if self.status != OrderStatus::Pending {
            return Err(TransitionError { from: self.status.as_str(), to: to.as_str() });
        }
        let after = Self { status: to, version: self.version.next(), updated_at: now, ..self.clone() };
        Ok(Transition { before: self, after })
    }
}

/// Position of an order in a listing of all customers' orders; the next page starts after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderPosition {
    /// When the order was placed.
    pub created_at: Timestamp,
    /// The order's identifier.
    pub id: OrderId,
    /// The customer who placed the order.
    pub customer: CustomerId,
}

/// A change of an order's status that the state machine allows.
///
/// Only the methods of [`Order`] create one, so a store can never receive an invalid change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    before: Order,
    after: Order,
}

impl Transition {
    /// Returns the order before the change.
    pub fn before(&self) -> &Order {
        &self.before
    }

    /// Returns the order after the change.
    pub fn after(&self) -> &Order {
        &self.after
    }

    /// Returns the lines whose stock is returned by the change.
    pub fn returned_lines(&self) -> &[OrderLine] {
        match self.after.status {
            OrderStatus::PaymentFailed { .. } | OrderStatus::Cancelled { .. } => &self.after.lines,
            OrderStatus::Pending | OrderStatus::Paid => &[],
        }
    }
}

/// The state machine does not allow this change of an order's status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an order cannot change from {from} to {to}")]
pub struct TransitionError {
    /// The current status.
    pub from: &'static str,
    /// The requested status.
    pub to: &'static str,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{Amount, Currency, NewProduct, ProductName, Stock};

    const NOW: i64 = 1_795_384_800_000;

    fn product(n: u128, price: u64, currency: &str, stock: u64) -> Product {
        NewProduct {
            name: ProductName::try_from("Tea".to_owned()).unwrap(),
            description: None,
            price: Money {
                amount: Amount::try_from(price).unwrap(),
                currency: Currency::try_from(currency.to_owned()).unwrap(),
            },
            stock: Stock::try_from(stock).unwrap(),
        }
        .create(Uuid::from_u128(n).into(), Timestamp::from_unix_millis(NOW))
    }

    fn order(requested: &[(u128, u64)], products: &[Product]) -> Result<Order, PricingError> {
        let lines = requested
            .iter()
            .map(|&(n, quantity)| LineRequest { product: Uuid::from_u128(n).into(), quantity: quantity.try_into().unwrap() })
            .collect();
        let token = PaymentToken::try_from("tok_success".to_owned()).unwrap();
        PlacementRequest::new(lines, token).unwrap().price(
            Uuid::from_u128(99).into(),
            CustomerId::try_from("ada".to_owned()).unwrap(),
            &products.iter().map(|p| (p.id, p.clone())).collect(),
            Timestamp::from_unix_millis(NOW),
        )
    }

    #[test]
    fn total_is_the_sum_of_the_lines() {
        let order = order(&[(1, 2), (2, 3)], &[product(1, 250, "EUR", 9), product(2, 1000, "EUR", 9)]).unwrap();
        assert_eq!(order.total.amount.minor_units(), 3500);
        assert_eq!(order.status, OrderStatus::Pending);
    }

    #[test]
    fn errors_list_every_affected_line_or_product() {
        let products = [product(1, 1, "EUR", 1), product(2, 1, "EUR", 9), product(3, 1, "EUR", 0)];
        assert_eq!(order(&[(7, 1), (2, 1), (8, 1)], &products), Err(PricingError::UnknownProducts { lines: vec![0, 2] }));
        let short = vec![products[0].id, products[2].id];
        assert_eq!(order(&[(1, 2), (2, 9), (3, 1)], &products), Err(PricingError::OutOfStock { products: short }));
    }

    #[test]
    fn rejects_mixed_currencies_and_excessive_totals() {
        assert_eq!(
            order(&[(1, 1), (2, 1)], &[product(1, 1, "EUR", 9), product(2, 1, "JPY", 9)]),
            Err(PricingError::MixedCurrencies)
        );
        assert_eq!(order(&[(1, 2)], &[product(1, Amount::MAX, "EUR", 9)]), Err(PricingError::TotalTooLarge));
    }

    #[test]
    fn requires_1_to_50_lines_with_distinct_products() {
        let line = |n| LineRequest { product: Uuid::from_u128(n).into(), quantity: 1.try_into().unwrap() };
        let token = || PaymentToken::try_from("tok_success".to_owned()).unwrap();
        assert!(PlacementRequest::new(vec![], token()).is_err());
        assert_eq!(PlacementRequest::new(vec![line(1), line(1)], token()), Err(ValueError::Repeated));
        assert!(PlacementRequest::new((0..50).map(line).collect(), token()).is_ok());
        assert!(PlacementRequest::new((0..51).map(line).collect(), token()).is_err());
    }

    #[test]
    fn a_pending_order_changes_status_only_once() {
        let now = Timestamp::from_unix_millis(NOW + 1);
        let pending = order(&[(1, 2)], &[product(1, 250, "EUR", 9)]).unwrap();
        let reason = Reason::from_lossy("declined");
        let changes: [&dyn Fn(Order) -> Result<Transition, TransitionError>; 4] = [
            &|order| order.pay(now),
            &|order| order.fail_payment(reason.clone(), now),
            &|order| order.cancel(now),
            &|order| order.expire(now),
        ];
        for first in changes {
            let transition = first(pending.clone()).unwrap();
            assert_eq!(transition.before(), &pending);
            assert_eq!((transition.after().version.get(), transition.after().updated_at), (2, now));
            let is_paid = transition.after().status == OrderStatus::Paid;
            assert_eq!(
                transition.returned_lines(),
                if is_paid { &[] } else { &pending.lines[..] },
                "{:?}",
                transition.after().status
            );
            for second in changes {
                assert!(second(transition.after().clone()).is_err(), "{:?}", transition.after().status);
            }
        }
    }

    #[test]
    fn a_cancelled_order_contains_the_reason() {
        let pending = order(&[(1, 2)], &[product(1, 250, "EUR", 9)]).unwrap();
        let now = Timestamp::from_unix_millis(NOW);
        let reason = |transition: Transition| transition.after().status.reason().unwrap().to_string();
        assert_eq!(reason(pending.clone().cancel(now).unwrap()), "cancelled by the customer");
        assert_eq!(reason(pending.expire(now).unwrap()), "payment was not received in time");
    }
}
