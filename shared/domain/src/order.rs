//! Orders: how they are placed, and the state machine they go through.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_core::{Reason, Timestamp, ValueError, Version};
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Money, OrderId, PaymentToken, Product, ProductId, Quantity};

/// Why an order was cancelled that its customer cancelled.
const CANCELLED_BY_CUSTOMER: &str = "cancelled by the customer";

/// Why an order was cancelled that was pending for too long.
const NOT_PAID_IN_TIME: &str = "it was not paid in time";

/// Where an order stands.
///
/// ```text
/// pending ──► paid
///    ├──────► payment_failed
///    └──────► cancelled
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed; its stock is taken and its payment is not decided.
    Pending,
    /// Paid for.
    Paid,
    /// The payment was declined; the stock went back.
    PaymentFailed {
        /// Why, for the customer.
        reason: Reason,
    },
    /// Cancelled; the stock went back.
    Cancelled {
        /// Why, for the customer.
        reason: Reason,
    },
}

impl OrderStatus {
    /// The status in keys, conditions and answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Why it came to this, where there is a reason.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Pending | Self::Paid => None,
            Self::PaymentFailed { reason } | Self::Cancelled { reason } => Some(reason),
        }
    }
}

/// Some pieces of one product, at the price they had when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// Of which product.
    pub product_id: ProductId,
    /// How many pieces.
    pub quantity: Quantity,
    /// What one piece cost.
    pub unit_price: Money,
}

/// Some pieces of one product that a customer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRequest {
    /// Of which product.
    pub product: ProductId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// What a customer asks for: 1 to [`PlacementRequest::MAX_LINES`] lines, each of another product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRequest {
    lines: Vec<LineRequest>,
    payment_token: PaymentToken,
}

impl PlacementRequest {
    /// The most lines of one order: with the order and the idempotency record they fit in one `TransactWriteItems`, which
    /// takes 100 items.
    pub const MAX_LINES: usize = 50;

    /// The request, if its lines are.
    ///
    /// # Errors
    /// No lines, too many, or two of one product.
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

    /// What is asked for.
    pub fn lines(&self) -> &[LineRequest] {
        &self.lines
    }

    /// The products that are asked for, each once.
    pub fn products(&self) -> Vec<ProductId> {
        self.lines.iter().map(|line| line.product).collect()
    }

    /// The order, at the prices of `products`.
    ///
    /// # Errors
    /// What the customer has to change first; every line at fault is named.
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

/// Why an order cannot be placed as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// There is no such product.
    #[error("some lines name a product that does not exist")]
    UnknownProducts {
        /// The lines at fault, counted from 0.
        lines: Vec<usize>,
    },
    /// The prices cannot be added up.
    #[error("all products of one order must be priced in the same currency")]
    MixedCurrencies,
    /// More than [`crate::Amount::MAX`].
    #[error("the total is larger than an order may be")]
    TotalTooLarge,
    /// Not as many pieces left as were asked for.
    #[error("not enough pieces are left")]
    OutOfStock {
        /// The products that are short.
        products: Vec<ProductId>,
    },
}

/// What a customer ordered, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's identifier.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where it stands.
    pub status: OrderStatus,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
    /// What it costs altogether.
    pub total: Money,
    /// What to charge.
    pub payment_token: PaymentToken,
    /// Counts the changes, so that events that arrive in another order can be told apart.
    pub version: Version,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Order {
    /// The payment was taken.
    ///
    /// # Errors
    /// The order is not pending.
    pub fn pay(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Paid, now)
    }

    /// The payment was declined: the stock goes back.
    ///
    /// # Errors
    /// The order is not pending.
    pub fn fail_payment(self, reason: Reason, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::PaymentFailed { reason }, now)
    }

    /// Its customer no longer wants it: the stock goes back.
    ///
    /// # Errors
    /// The order is not pending.
    pub fn cancel(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Cancelled { reason: Reason::from_lossy(CANCELLED_BY_CUSTOMER) }, now)
    }

    /// It was pending for too long: the stock goes back.
    ///
    /// # Errors
    /// The order is not pending.
    pub fn expire(self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.leave_pending(OrderStatus::Cancelled { reason: Reason::from_lossy(NOT_PAID_IN_TIME) }, now)
    }

    /// Where it stands among all orders.
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

/// Where an order stands in a listing of many customers' orders: what such a listing goes on from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderPosition {
    /// When it was placed.
    pub created_at: Timestamp,
    /// Which it is.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A change of an order's status that the state machine allows. Only [`Order`]'s own methods make one, so what it
/// does not allow cannot be handed to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    before: Order,
    after: Order,
}

impl Transition {
    /// The order before.
    pub fn before(&self) -> &Order {
        &self.before
    }

    /// The order after.
    pub fn after(&self) -> &Order {
        &self.after
    }

    /// The lines whose pieces can be ordered again after it.
    pub fn returned_lines(&self) -> &[OrderLine] {
        match self.after.status {
            OrderStatus::PaymentFailed { .. } | OrderStatus::Cancelled { .. } => &self.after.lines,
            OrderStatus::Pending | OrderStatus::Paid => &[],
        }
    }
}

/// The order stands where this change is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot become {to}")]
pub struct TransitionError {
    /// Where it stands.
    pub from: &'static str,
    /// Where it was to go.
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

    fn order(asked: &[(u128, u64)], products: &[Product]) -> Result<Order, PricingError> {
        let lines = asked
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
    fn an_order_costs_the_sum_of_its_lines() {
        let order = order(&[(1, 2), (2, 3)], &[product(1, 250, "EUR", 9), product(2, 1000, "EUR", 9)]).unwrap();
        assert_eq!(order.total.amount.minor_units(), 3500);
        assert_eq!(order.status, OrderStatus::Pending);
    }

    #[test]
    fn every_line_at_fault_is_named() {
        let stocked = [product(1, 1, "EUR", 1), product(2, 1, "EUR", 9), product(3, 1, "EUR", 0)];
        assert_eq!(order(&[(7, 1), (2, 1), (8, 1)], &stocked), Err(PricingError::UnknownProducts { lines: vec![0, 2] }));
        let short = vec![stocked[0].id, stocked[2].id];
        assert_eq!(order(&[(1, 2), (2, 9), (3, 1)], &stocked), Err(PricingError::OutOfStock { products: short }));
    }

    #[test]
    fn what_cannot_be_added_up_is_refused() {
        assert_eq!(
            order(&[(1, 1), (2, 1)], &[product(1, 1, "EUR", 9), product(2, 1, "JPY", 9)]),
            Err(PricingError::MixedCurrencies)
        );
        assert_eq!(order(&[(1, 2)], &[product(1, Amount::MAX, "EUR", 9)]), Err(PricingError::TotalTooLarge));
    }

    #[test]
    fn lines_are_counted_and_each_names_another_product() {
        let line = |n| LineRequest { product: Uuid::from_u128(n).into(), quantity: 1.try_into().unwrap() };
        let token = || PaymentToken::try_from("tok_success".to_owned()).unwrap();
        assert!(PlacementRequest::new(vec![], token()).is_err());
        assert_eq!(PlacementRequest::new(vec![line(1), line(1)], token()), Err(ValueError::Repeated));
        assert!(PlacementRequest::new((0..50).map(line).collect(), token()).is_ok());
        assert!(PlacementRequest::new((0..51).map(line).collect(), token()).is_err());
    }

    #[test]
    fn a_pending_order_moves_on_once_and_nothing_leads_on_from_there() {
        let now = Timestamp::from_unix_millis(NOW + 1);
        let pending = order(&[(1, 2)], &[product(1, 250, "EUR", 9)]).unwrap();
        let reason = Reason::from_lossy("declined");
        let moves: [&dyn Fn(Order) -> Result<Transition, TransitionError>; 4] = [
            &|order| order.pay(now),
            &|order| order.fail_payment(reason.clone(), now),
            &|order| order.cancel(now),
            &|order| order.expire(now),
        ];
        for first in moves {
            let moved = first(pending.clone()).unwrap();
            assert_eq!(moved.before(), &pending);
            assert_eq!((moved.after().version.get(), moved.after().updated_at), (2, now));
            let is_paid = moved.after().status == OrderStatus::Paid;
            assert_eq!(moved.returned_lines(), if is_paid { &[] } else { &pending.lines[..] }, "{:?}", moved.after().status);
            for second in moves {
                assert!(second(moved.after().clone()).is_err(), "{:?}", moved.after().status);
            }
        }
    }

    #[test]
    fn a_cancelled_order_says_who_or_what_cancelled_it() {
        let pending = order(&[(1, 2)], &[product(1, 250, "EUR", 9)]).unwrap();
        let now = Timestamp::from_unix_millis(NOW);
        let reason = |moved: Transition| moved.after().status.reason().unwrap().to_string();
        assert_eq!(reason(pending.clone().cancel(now).unwrap()), "cancelled by the customer");
        assert_eq!(reason(pending.expire(now).unwrap()), "it was not paid in time");
    }
}
