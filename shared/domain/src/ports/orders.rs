//! Ports for placing, finding, and updating orders.

use ferrite_core::ports::{PortError, SavedResponse};
use ferrite_core::{Day, IdempotencyKey, Page, PageRequest, Timestamp, TraceContext};

use super::SaveResult;
use crate::{CustomerId, Order, OrderId, OrderPosition, ProductId, Shard, Transition};

/// An order to place, and the response to save for retries of the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The order to place.
    pub order: Order,
    /// The request's idempotency key. Each customer has a separate key space.
    pub key: IdempotencyKey,
    /// The response to save with the key.
    pub saved_response: SavedResponse,
    /// When the key expires and can be used for another request.
    pub key_expires_at: Timestamp,
    /// Trace context of the request. The order's event includes it.
    pub trace_context: TraceContext,
}

/// Places orders.
pub trait PlaceOrder: Sync {
    /// Returns the saved response to the customer's request with this key, if there is one that has not expired at
    /// `now`.
    fn find_saved_response(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<SavedResponse>, PortError>> + Send;

    /// Reserves the stock, stores the order, and saves the response in one transaction.
    fn place(&self, placement: &Placement) -> impl Future<Output = Result<(), PlaceOrderError>> + Send;
}

/// Reason that an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// A request with this key has already placed an order. Contains its saved response.
    #[error("the idempotency key has a saved response")]
    AlreadyPlaced(SavedResponse),
    /// The stock of some products is less than the requested quantity.
    #[error("not enough stock")]
    OutOfStock {
        /// The products with too little stock.
        products: Vec<ProductId>,
    },
    /// A product was deleted or its price changed after the order was priced.
    #[error("a product changed while the order was being placed")]
    ProductsChanged,
    /// Another request with this key was in progress during all attempts.
    #[error("another request with this idempotency key is in progress")]
    KeyInFlight,
    /// Concurrent requests changed the same products during all attempts.
    #[error("too many concurrent requests for the same products")]
    Contention,
    /// The store failed. The order may have been placed; retry with the same key to find out.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Looks up a customer's order.
pub trait GetOrder: Sync {
    /// Returns the order, or `None` if it does not exist or belongs to another customer.
    fn get(&self, customer: &CustomerId, id: OrderId) -> impl Future<Output = Result<Option<Order>, PortError>> + Send;
}

/// Lists a customer's orders.
pub trait ListOrders: Sync {
    /// Returns one page of the customer's orders, newest first.
    fn list(
        &self,
        customer: &CustomerId,
        page: &PageRequest<OrderId>,
    ) -> impl Future<Output = Result<Page<Order, OrderId>, PortError>> + Send;
}

/// Lists the pending orders of all customers.
pub trait ListPendingOrders: Sync {
    /// Returns one page of the pending orders of `shard` that were placed before `before`, oldest first. The listing is
    /// eventually consistent.
    fn list_pending(
        &self,
        shard: Shard,
        before: Timestamp,
        page: &PageRequest<OrderPosition>,
    ) -> impl Future<Output = Result<Page<Order, OrderPosition>, PortError>> + Send;
}

/// Lists the paid orders of all customers.
pub trait ListPaidOrders: Sync {
    /// Returns one page of the orders of `shard` that were paid on `day`, sorted by identifier. The listing is
    /// eventually consistent.
    fn list_paid(
        &self,
        day: Day,
        shard: Shard,
        page: &PageRequest<OrderPosition>,
    ) -> impl Future<Output = Result<Page<Order, OrderPosition>, PortError>> + Send;
}

/// Saves a change of an order's status.
pub trait SaveTransition: Sync {
    /// Saves the changed order and returns stock to its products in one transaction. Returns
    /// [`SaveResult::Conflict`] if the stored order is no longer in the state before the transition. `trace_context` is
    /// the trace context of the request or event that caused the change.
    fn save(
        &self,
        transition: &Transition,
        trace_context: &TraceContext,
    ) -> impl Future<Output = Result<SaveResult, PortError>> + Send;
}
