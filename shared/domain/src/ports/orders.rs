//! Placing orders, finding them and moving them on.

use ferrite_core::ports::{PortError, SavedResponse};
use ferrite_core::{Day, IdempotencyKey, Page, PageRequest, Timestamp, TraceContext};

use crate::{CustomerId, Order, OrderId, OrderPosition, ProductId, Shard, Transition};

/// An order to be placed, and the answer to be given to its request from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The order.
    pub order: Order,
    /// The request's idempotency key. Keys of different customers have nothing to do with each other.
    pub key: IdempotencyKey,
    /// The answer.
    pub saved: SavedResponse,
    /// When the key may be used for another request.
    pub key_expires_at: Timestamp,
    /// The request, for whoever learns of the order.
    pub trace_context: TraceContext,
}

/// Places orders.
pub trait PlaceOrder: Sync {
    /// The answer that this customer's request with this key got, if it got one that has not expired at `now`.
    fn find_saved_response(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<SavedResponse>, PortError>> + Send;

    /// Takes the stock, keeps the order and saves the answer: all of it or nothing.
    fn place(&self, placement: &Placement) -> impl Future<Output = Result<(), PlaceOrderError>> + Send;
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// A request with this key completed in the meantime.
    #[error("the idempotency key has a saved response")]
    Completed(SavedResponse),
    /// Not as many pieces left as are asked for.
    #[error("not enough pieces are left")]
    OutOfStock {
        /// The products that are short.
        products: Vec<ProductId>,
    },
    /// A product was deleted or got another price after the order was priced.
    #[error("a product changed while the order was placed")]
    ProductsChanged,
    /// Another request with this key was being carried out all the while.
    #[error("a request with this idempotency key is being carried out")]
    KeyInFlight,
    /// Other requests were changing the same products all the while.
    #[error("too many requests for the same products at once")]
    Contention,
    /// The store failed. Whether the order was placed may not be known; the same request with the same key tells.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Looks a customer's order up.
pub trait GetOrder: Sync {
    /// The customer's order; `None` when there is none, or it is another customer's.
    fn get(&self, customer: &CustomerId, id: OrderId) -> impl Future<Output = Result<Option<Order>, PortError>> + Send;
}

/// Lists a customer's orders.
pub trait ListOrders: Sync {
    /// One page, newest first.
    fn list(
        &self,
        customer: &CustomerId,
        page: &PageRequest<OrderId>,
    ) -> impl Future<Output = Result<Page<Order, OrderId>, PortError>> + Send;
}

/// Lists the orders that wait to be paid, whosever they are.
pub trait ListPendingOrders: Sync {
    /// One page of the orders of `shard` that are pending and were placed before `before`, the one that waits longest first.
    /// What happened a moment ago may not show yet.
    fn list_pending(
        &self,
        shard: Shard,
        before: Timestamp,
        page: &PageRequest<OrderPosition>,
    ) -> impl Future<Output = Result<Page<Order, OrderPosition>, PortError>> + Send;
}

/// Lists the orders that were paid, whosever they are.
pub trait ListPaidOrders: Sync {
    /// One page of the orders of `shard` that were paid on `day`, in the order of their identifiers. What happened a moment
    /// ago may not show yet.
    fn list_paid(
        &self,
        day: Day,
        shard: Shard,
        page: &PageRequest<OrderPosition>,
    ) -> impl Future<Output = Result<Page<Order, OrderPosition>, PortError>> + Send;
}

/// Moves an order on.
pub trait SaveTransition: Sync {
    /// Keeps the order as it is after `transition`, which `cause` set off, and puts returned stock back, all of it or
    /// nothing; `false` when the order no longer is as it was before, and then nothing was changed.
    fn save(&self, transition: &Transition, cause: &TraceContext) -> impl Future<Output = Result<bool, PortError>> + Send;
}
