use std::time::Duration;

use ferrite_core::ports::Clock;
use ferrite_core::{PageLimit, PageRequest};
use ferrite_domain::Shard;
use ferrite_domain::ports::{ListPendingOrders, SaveTransition};
use ferrite_runtime::Failure;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::{log, trace};
use serde_json::json;

const ORDERS_EXPIRED: Metric = Metric::new("OrdersExpired", Unit::Count);

/// Cancels every order that has been pending for longer than `pending_timeout`, and returns its stock.
///
/// Each order is a transaction of its own that holds only while the order is pending. Run twice at once, or against a
/// payment or a cancellation, it changes each order once or not at all; ended anywhere, the next run goes on. An order that
/// cannot be saved keeps no other from being cancelled, and a shard that cannot be listed none of another shard.
///
/// # Errors
/// Orders could not be listed, or some not be saved: the first reason, when everything else is done.
pub(crate) async fn expire_orders(
    orders: &(impl ListPendingOrders + SaveTransition),
    clock: &impl Clock,
    pending_timeout: Duration,
) -> Result<(), Failure> {
    let now = clock.now();
    let (mut expired, mut failure) = (0_u32, None);
    for shard in Shard::all() {
        let mut page = PageRequest { limit: PageLimit::LARGEST, after: None };
        loop {
            let listed = match orders.list_pending(shard, now.before(pending_timeout), &page).await {
                Ok(listed) => listed,
                Err(error) => {
                    failure.get_or_insert(error);
                    break;
                }
            };
            for order in listed.items {
                // The index is behind the table by a moment: an order in it may be past `pending` by now.
                let Ok(transition) = order.expire(now) else { continue };
                match orders.save(&transition, &trace::context()).await {
                    Ok(true) => {
                        metrics::count(ORDERS_EXPIRED);
                        expired += 1;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        failure.get_or_insert(error);
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
    failure.map_or(Ok(()), |error| Err(Failure::retry(error)))
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

    async fn ordered(count: usize) -> (MemoryStore, Product, Vec<Order>) {
        let (store, product) = (MemoryStore::default(), contract::product(500));
        store.create(&product).await.unwrap();
        let mut orders = Vec::new();
        for _ in 0..count {
            orders.push(contract::orders::placed(&store, &[(&product, 1)]).await);
        }
        (store, product, orders)
    }

    /// As it is `after` the orders were placed.
    fn clock(after: Duration) -> FixedClock {
        FixedClock(contract::now().after(after))
    }

    async fn status(store: &MemoryStore, order: &Order) -> &'static str {
        GetOrder::get(store, &order.customer, order.id).await.unwrap().unwrap().status.as_str()
    }

    async fn stock(store: &MemoryStore, product: &Product) -> u32 {
        GetProduct::get(store, product.id).await.unwrap().unwrap().stock.get()
    }

    #[tokio::test]
    async fn what_was_pending_for_too_long_is_cancelled_and_its_stock_returned_once() {
        // More than a page in some shard.
        let (store, product, orders) = ordered(300).await;
        for _ in 0..2 {
            expire_orders(&store, &clock(PENDING_TIMEOUT + Duration::from_secs(1)), PENDING_TIMEOUT).await.unwrap();
        }
        for order in &orders {
            assert_eq!(status(&store, order).await, "cancelled");
        }
        assert_eq!(stock(&store, &product).await, 500);
    }

    #[tokio::test]
    async fn what_may_still_be_paid_or_was_is_left_alone() {
        let (store, product, orders) = ordered(2).await;
        assert!(store.save(&orders[0].clone().pay(contract::now()).unwrap(), &TraceContext::default()).await.unwrap());
        expire_orders(&store, &clock(PENDING_TIMEOUT), PENDING_TIMEOUT).await.unwrap();
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "pending"));
        expire_orders(&store, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await.unwrap();
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "cancelled"));
        assert_eq!(stock(&store, &product).await, 499);
    }

    /// A store whose index is behind: it lists an order as pending that was paid meanwhile.
    struct Behind<'a>(&'a MemoryStore, Vec<Order>);

    impl ListPendingOrders for Behind<'_> {
        async fn list_pending(
            &self,
            shard: Shard,
            _: Timestamp,
            _: &PageRequest<OrderPosition>,
        ) -> Result<Page<Order, OrderPosition>, PortError> {
            let listed = self.1.iter().filter(|order| Shard::of(order.id) == shard).cloned().collect();
            Ok(Page { items: listed, next: None })
        }
    }

    impl SaveTransition for Behind<'_> {
        async fn save(&self, transition: &Transition, cause: &TraceContext) -> Result<bool, PortError> {
            self.0.save(transition, cause).await
        }
    }

    /// A store that cannot list one of its shards, or save one of the orders.
    struct Stuck<'a> {
        store: &'a MemoryStore,
        shard: Option<Shard>,
        order: Option<&'a Order>,
    }

    impl ListPendingOrders for Stuck<'_> {
        async fn list_pending(
            &self,
            shard: Shard,
            before: Timestamp,
            page: &PageRequest<OrderPosition>,
        ) -> Result<Page<Order, OrderPosition>, PortError> {
            if self.shard == Some(shard) {
                return Err(PortError::new("Query", "an item is no order"));
            }
            self.store.list_pending(shard, before, page).await
        }
    }

    impl SaveTransition for Stuck<'_> {
        async fn save(&self, transition: &Transition, cause: &TraceContext) -> Result<bool, PortError> {
            if self.order.is_some_and(|order| order.id == transition.before().id) {
                return Err(PortError::new("TransactWriteItems", "throttled"));
            }
            self.store.save(transition, cause).await
        }
    }

    #[tokio::test]
    async fn an_order_that_cannot_be_saved_holds_up_no_other() {
        let (store, _, orders) = ordered(40).await;
        // The one that comes first.
        let stuck = orders.iter().min_by_key(|order| (Shard::of(order.id), order.id)).unwrap();
        let stuck_store = Stuck { store: &store, shard: None, order: Some(stuck) };
        let run = expire_orders(&stuck_store, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await;
        assert!(matches!(run, Err(Failure::Retry(_))), "it is to be tried again");
        for order in &orders {
            assert_eq!(status(&store, order).await == "pending", order.id == stuck.id);
        }
    }

    #[tokio::test]
    async fn a_shard_that_cannot_be_listed_holds_up_no_other() {
        let (store, _, orders) = ordered(40).await;
        let unreadable = orders.iter().map(|order| Shard::of(order.id)).min().unwrap();
        let stuck = Stuck { store: &store, shard: Some(unreadable), order: None };
        let run = expire_orders(&stuck, &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await;
        assert!(matches!(run, Err(Failure::Retry(_))), "it is to be tried again");
        for order in &orders {
            assert_eq!(status(&store, order).await == "pending", Shard::of(order.id) == unreadable);
        }
    }

    #[tokio::test]
    async fn a_payment_that_was_quicker_wins() {
        let (store, product, orders) = ordered(2).await;
        let paid = orders[0].clone().pay(contract::now()).unwrap();
        assert!(store.save(&paid, &TraceContext::default()).await.unwrap());
        for listed in [orders.clone(), vec![paid.after().clone()]] {
            expire_orders(&Behind(&store, listed), &clock(PENDING_TIMEOUT * 2), PENDING_TIMEOUT).await.unwrap();
        }
        assert_eq!((status(&store, &orders[0]).await, status(&store, &orders[1]).await), ("paid", "cancelled"));
        assert_eq!(stock(&store, &product).await, 499);
    }
}
