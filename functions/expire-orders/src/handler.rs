use std::time::Duration;

use ferrite_core::ports::Clock;
use ferrite_core::{PageLimit, PageRequest};
use ferrite_domain::Shard;
use ferrite_domain::ports::{ListPendingOrders, SaveResult, SaveTransition};
use ferrite_runtime::Failure;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::{log, trace};
use serde_json::json;

const ORDERS_EXPIRED: Metric = Metric::new("OrdersExpired", Unit::Count);

/// Cancels every order that has been pending for longer than `pending_timeout`, and returns its units to stock.
///
/// Each order is cancelled in its own transaction, with the condition that it is still pending. A concurrent run,
/// payment or cancellation therefore changes each order at most once, and after a crash the next run cancels the
/// remaining orders. If an order cannot be saved or a shard cannot be listed, the other orders and shards are still
/// processed.
///
/// # Errors
/// Returns the first error after processing everything else, if a shard could not be listed or an order could not be
/// saved.
pub(crate) async fn expire_orders(
    orders: &(impl ListPendingOrders + SaveTransition),
    clock: &impl Clock,
    pending_timeout: Duration,
) -> Result<(), Failure> {
    let now = clock.now();
    let mut expired = 0_u32;
    let mut first_error = None;
    for shard in Shard::all() {
        let mut page = PageRequest { limit: PageLimit::LARGEST, after: None };
        loop {
            let listed = match orders.list_pending(shard, now.minus(pending_timeout), &page).await {
                Ok(listed) => listed,
                Err(error) => {
                    first_error.get_or_insert(error);
                    break;
                }
            };
            for order in listed.items {
                // The index is eventually consistent: an order in it may no longer be pending.
                let Ok(transition) = order.expire(now) else { continue };
                match orders.save(&transition, &trace::context()).await {
                    Ok(SaveResult::Saved) => {
                        metrics::count(ORDERS_EXPIRED);
                        expired += 1;
                    }
                    Ok(SaveResult::Conflict) => {}
                    Err(error) => {
                        first_error.get_or_insert(error);
                    }
                }
            }
            match listed.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    }
    log::append_key("expired", json!(expired));
    first_error.map_or(Ok(()), |error| Err(Failure::retry(error)))
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_core::ports::PortError;
    use ferrite_core::{Page, Timestamp, TraceContext};
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::{CreateProduct, GetOrder, GetProduct};
    use ferrite_domain::{Order, OrderPosition, Product, Transition, contract};

    use super::*;

    const PENDING_TIMEOUT: Duration = Duration::from_secs(3600);

    /// A store with a product and `count` pending orders for one unit each.
    async fn store_with_orders(count: usize) -> (MemoryStore, Product, Vec<Order>) {
        let store = MemoryStore::default();
        let product = contract::product(500);
        store.create(&product).await.unwrap();
        let mut orders = Vec::new();
        for _ in 0..count {
            orders.push(contract::orders::place_order(&store, &[(&product, 1)]).await);
        }
        (store, product, orders)
    }

    /// A clock that shows the time `elapsed` after the orders were placed.
    fn clock(elapsed: Duration) -> FixedClock {
        FixedClock(contract::now().plus(elapsed))
    }

    async fn status(store: &MemoryStore, order: &Order) -> &'static str {
        GetOrder::get(store, &order.customer, order.id).await.unwrap().unwrap().status.as_str()
    }

    async fn stock(store: &MemoryStore, product: &Product) -> u32 {
        GetProduct::get(store, product.id).await.unwrap().unwrap().stock.get()
    }

    #[tokio::test]
    async fn cancels_overdue_orders_and_returns_their_stock_once() {
        // Enough orders for a shard with more than one page.
        let (store, product, orders) = store_with_orders(300).await;
        for _ in 0..2 {
            expire_orders(&store, &clock(PENDING_TIMEOUT + Duration::from_secs(1)), PENDING_TIMEOUT).await.unwrap();
        }
        for order in &orders {
            assert_eq!(status(&store, order).await, "cancelled");
        }
        assert_eq!(stock(&store, &product).await, 500);
    }

    #[tokio::test]
    async fn keeps_orders_that_are_paid_or_not_yet_overdue() {
        let (store, product, orders) = store_with_orders(2).await;
        assert_eq!(
            store.save(&orders[0].clone().pay(contract::now()).unwrap(), &TraceContext::default()).await.unwrap(),
            SaveResult::Saved
        );
        expire_orders(&store, &clock(PENDING_TIMEOUT), PENDING_TIMEOUT).await.unwrap();
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "pending"));
        expire_orders(&store, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await.unwrap();
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "cancelled"));
        assert_eq!(stock(&store, &product).await, 499);
    }

    /// A store with an outdated index: it lists the given orders as pending, whatever their status is.
    struct StaleIndex<'a> {
        store: &'a MemoryStore,
        listed: Vec<Order>,
    }

    impl ListPendingOrders for StaleIndex<'_> {
        async fn list_pending(
            &self,
            shard: Shard,
            _: Timestamp,
            _: &PageRequest<OrderPosition>,
        ) -> Result<Page<Order, OrderPosition>, PortError> {
            let listed = self.listed.iter().filter(|order| Shard::of(order.id) == shard).cloned().collect();
            Ok(Page { items: listed, next: None })
        }
    }

    impl SaveTransition for StaleIndex<'_> {
        async fn save(&self, transition: &Transition, trace_context: &TraceContext) -> Result<SaveResult, PortError> {
            self.store.save(transition, trace_context).await
        }
    }

    /// A store that fails to list one of its shards, or to save one of its orders.
    struct FailingStore<'a> {
        store: &'a MemoryStore,
        unreadable_shard: Option<Shard>,
        unwritable_order: Option<&'a Order>,
    }

    impl ListPendingOrders for FailingStore<'_> {
        async fn list_pending(
            &self,
            shard: Shard,
            before: Timestamp,
            page: &PageRequest<OrderPosition>,
        ) -> Result<Page<Order, OrderPosition>, PortError> {
            if self.unreadable_shard == Some(shard) {
                return Err(PortError::new("Query", "an item is not an order"));
            }
            self.store.list_pending(shard, before, page).await
        }
    }

    impl SaveTransition for FailingStore<'_> {
        async fn save(&self, transition: &Transition, trace_context: &TraceContext) -> Result<SaveResult, PortError> {
            if self.unwritable_order.is_some_and(|order| order.id == transition.before().id) {
                return Err(PortError::new("TransactWriteItems", "throttled"));
            }
            self.store.save(transition, trace_context).await
        }
    }

    #[tokio::test]
    async fn cancels_the_other_orders_when_one_cannot_be_saved() {
        let (store, _, orders) = store_with_orders(40).await;
        // The first order in processing order.
        let unwritable = orders.iter().min_by_key(|order| (Shard::of(order.id), order.id)).unwrap();
        let failing = FailingStore { store: &store, unreadable_shard: None, unwritable_order: Some(unwritable) };
        let result = expire_orders(&failing, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await;
        assert!(matches!(result, Err(Failure::Retry(_))), "{result:?}");
        for order in &orders {
            assert_eq!(status(&store, order).await == "pending", order.id == unwritable.id);
        }
    }

    #[tokio::test]
    async fn processes_the_other_shards_when_one_cannot_be_listed() {
        let (store, _, orders) = store_with_orders(40).await;
        let unreadable = orders.iter().map(|order| Shard::of(order.id)).min().unwrap();
        let failing = FailingStore { store: &store, unreadable_shard: Some(unreadable), unwritable_order: None };
        let result = expire_orders(&failing, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await;
        assert!(matches!(result, Err(Failure::Retry(_))), "{result:?}");
        for order in &orders {
            assert_eq!(status(&store, order).await == "pending", Shard::of(order.id) == unreadable);
        }
    }

    #[tokio::test]
    async fn keeps_an_order_that_was_paid_after_the_index_was_read() {
        let (store, product, orders) = store_with_orders(2).await;
        let paid = orders[0].clone().pay(contract::now()).unwrap();
        assert_eq!(store.save(&paid, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
        for listed in [orders.clone(), vec![paid.after().clone()]] {
            let stale = StaleIndex { store: &store, listed };
            expire_orders(&stale, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await.unwrap();
        }
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "cancelled"));
        assert_eq!(stock(&store, &product).await, 499);
    }
}
