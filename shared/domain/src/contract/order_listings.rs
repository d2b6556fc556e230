//! The listings of many customers' orders.

use std::collections::BTreeSet;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use ferrite_core::{Day, Page, PageLimit, PageRequest, Reason, Timestamp, TraceContext};

use super::now;
use super::orders::{OrderStore, customer, order, placement, stocked};
use crate::ports::{ListPaidOrders, ListPendingOrders};
use crate::{CustomerId, Order, OrderId, OrderPosition, Product, Shard, Transition};

/// An [`OrderStore`] that lists what is pending and what was paid.
pub trait OrderListings: OrderStore + ListPendingOrders + ListPaidOrders {}

impl<S> OrderListings for S where S: OrderStore + ListPendingOrders + ListPaidOrders {}

/// Tests of [`OrderListings`].
#[macro_export]
macro_rules! order_listings_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::order_listings, $open,
            pending_orders_are_listed_from_the_oldest_and_the_pages_join
            orders_that_were_placed_later_are_not_listed_as_pending
            what_is_no_longer_pending_is_not_listed_as_pending
            each_order_is_listed_in_its_own_shard
            paid_orders_are_listed_under_the_day_they_were_paid_on
            the_pages_of_paid_orders_join
            what_was_not_paid_is_not_listed_as_paid
        );
    };
}

// Other checks place orders as of `now`, in the same table: those here are older and paid earlier, and tell theirs by customer.

fn minutes_before_now(minutes: i64) -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() - minutes * 60_000)
}

/// An order of one shard.
fn order_in(shard: Shard, customer: &CustomerId, tea: &Product, placed_at: Timestamp) -> Order {
    let mut ids = std::iter::repeat_with(|| OrderId::from(UniqueIds.new_id())).take(1000);
    let id = ids.find(|id| Shard::of(*id) == shard).unwrap();
    Order { id, created_at: placed_at, updated_at: placed_at, ..order(customer, &[(tea, 1)]) }
}

async fn place(store: &impl OrderListings, order: &Order) {
    store.place(&placement(order, &order.id.to_string())).await.unwrap();
}

async fn save(store: &impl OrderListings, transition: Transition) -> Order {
    assert!(store.save(&transition, &TraceContext::default()).await.unwrap());
    transition.after().clone()
}

fn a_shard() -> Shard {
    Shard::of(UniqueIds.new_id().into())
}

/// The customer's orders on all pages, of which `page` fetches one.
async fn on_all_pages<F>(
    customer: &CustomerId,
    limit: PageLimit,
    page: impl Fn(PageRequest<OrderPosition>) -> F,
) -> Vec<Order>
where
    F: Future<Output = Page<Order, OrderPosition>>,
{
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = page(PageRequest { limit, after }).await;
        assert!(found.items.len() <= limit.get());
        all.extend(found.items.into_iter().filter(|order| order.customer == *customer));
        after = found.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn pending(
    store: &impl OrderListings,
    customer: &CustomerId,
    shard: Shard,
    before: Timestamp,
    limit: PageLimit,
) -> Vec<Order> {
    let page = async |page| store.list_pending(shard, before, &page).await.unwrap();
    on_all_pages(customer, limit, page).await
}

async fn paid(store: &impl OrderListings, customer: &CustomerId, day: Day, shard: Shard, limit: PageLimit) -> Vec<Order> {
    let page = async |page| store.list_paid(day, shard, &page).await.unwrap();
    on_all_pages(customer, limit, page).await
}

pub async fn pending_orders_are_listed_from_the_oldest_and_the_pages_join(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let mut placed = Vec::new();
    // Placed in this order, and so drawn their identifiers, and not the order that they waited in.
    for minutes in [61, 65, 62, 62, 64] {
        let order = order_in(shard, &ada, &tea, minutes_before_now(minutes));
        place(store, &order).await;
        placed.push(order);
    }
    placed.sort_by_key(Order::position);
    for limit in ["2".parse().unwrap(), PageLimit::LARGEST] {
        assert_eq!(pending(store, &ada, shard, minutes_before_now(60), limit).await, placed);
    }
}

pub async fn orders_that_were_placed_later_are_not_listed_as_pending(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let [old, at, young] = [61, 60, 59].map(|minutes| order_in(shard, &ada, &tea, minutes_before_now(minutes)));
    for order in [&old, &at, &young] {
        place(store, order).await;
    }
    let listed = pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await;
    assert_eq!(listed, [old], "the bound itself is not before it");
}

pub async fn what_is_no_longer_pending_is_not_listed_as_pending(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let ways: [fn(Order) -> Transition; 4] = [
        |order| order.pay(now()).unwrap(),
        |order| order.fail_payment(Reason::from_lossy("declined"), now()).unwrap(),
        |order| order.cancel(now()).unwrap(),
        |order| order.expire(now()).unwrap(),
    ];
    let left = order_in(shard, &ada, &tea, minutes_before_now(61));
    place(store, &left).await;
    for way in ways {
        let order = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &order).await;
        save(store, way(order)).await;
    }
    assert_eq!(pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await, [left]);
}

pub async fn each_order_is_listed_in_its_own_shard(store: &impl OrderListings) {
    let (ada, tea) = (customer(), stocked(store, 99).await);
    let day = minutes_before_now(0).day();
    for shard in Shard::all() {
        let waiting = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &waiting).await;
        let order = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &order).await;
        let bought = save(store, order.pay(now()).unwrap()).await;
        assert_eq!(pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await, [waiting]);
        assert_eq!(paid(store, &ada, day, shard, PageLimit::LARGEST).await, [bought]);
    }
}

pub async fn paid_orders_are_listed_under_the_day_they_were_paid_on(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let mut bought = Vec::new();
    for time in
        ["2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00.000Z", "2026-03-02T23:59:59.999Z", "2026-03-03T00:00:00.000Z"]
    {
        let order = order_in(shard, &ada, &tea, "2026-03-01T12:00:00Z".parse().unwrap());
        place(store, &order).await;
        bought.push(save(store, order.pay(time.parse().unwrap()).unwrap()).await);
    }
    let day = "2026-03-02".parse().unwrap();
    assert_eq!(paid(store, &ada, day, shard, PageLimit::LARGEST).await, bought[1..3]);
}

pub async fn the_pages_of_paid_orders_join(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let paid_at: Timestamp = "2026-03-04T10:00:00Z".parse().unwrap();
    let mut bought = BTreeSet::new();
    for _ in 0..5 {
        let order = order_in(shard, &ada, &tea, paid_at);
        place(store, &order).await;
        bought.insert(save(store, order.pay(paid_at).unwrap()).await.id);
    }
    let listed = paid(store, &ada, paid_at.day(), shard, "2".parse().unwrap()).await;
    assert!(listed.iter().map(|order| order.id).eq(bought));
}

pub async fn what_was_not_paid_is_not_listed_as_paid(store: &impl OrderListings) {
    let (ada, tea, shard) = (customer(), stocked(store, 9).await, a_shard());
    let that_day: Timestamp = "2026-03-05T10:00:00Z".parse().unwrap();
    let ways: [fn(Order, Timestamp) -> Transition; 3] = [
        |order, then| order.fail_payment(Reason::from_lossy("declined"), then).unwrap(),
        |order, then| order.cancel(then).unwrap(),
        |order, then| order.expire(then).unwrap(),
    ];
    for way in ways {
        let order = order_in(shard, &ada, &tea, that_day);
        place(store, &order).await;
        save(store, way(order, that_day)).await;
    }
    let waiting = order_in(shard, &ada, &tea, that_day);
    place(store, &waiting).await;
    assert!(paid(store, &ada, that_day.day(), shard, PageLimit::LARGEST).await.is_empty());
}
