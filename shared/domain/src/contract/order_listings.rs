//! Contract of the listings of all customers' orders.

use std::collections::BTreeSet;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_core::{Day, Page, PageLimit, PageRequest, Reason, Timestamp, TraceContext};

use super::now;
use super::orders::{OrderStore, create_product, customer, order, placement};
use crate::ports::{ListPaidOrders, ListPendingOrders, SaveResult};
use crate::{CustomerId, Order, OrderId, OrderPosition, Product, Shard, Transition};

/// An [`OrderStore`] that also lists pending and paid orders.
pub trait OrderListings: OrderStore + ListPendingOrders + ListPaidOrders {}

impl<S> OrderListings for S where S: OrderStore + ListPendingOrders + ListPaidOrders {}

/// Generates the contract tests for [`OrderListings`].
#[macro_export]
macro_rules! order_listing_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::order_listings, $adapter,
            lists_pending_orders_oldest_first_across_pages
            lists_only_pending_orders_placed_before_the_time_limit
            does_not_list_other_orders_as_pending
            lists_each_order_in_its_shard
            lists_paid_orders_by_the_day_of_the_payment
            lists_all_paid_orders_across_pages
            does_not_list_unpaid_orders_as_paid
        );
    };
}

// Other tests place orders at `now` in the same table. The orders of these tests are older, and the tests filter by
// customer.

fn minutes_before_now(minutes: i64) -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() - minutes * 60_000)
}

/// Creates an order that belongs to `shard`.
fn order_in(shard: Shard, customer: &CustomerId, tea: &Product, placed_at: Timestamp) -> Order {
    let mut ids = std::iter::repeat_with(|| OrderId::from(UniqueIds.new_id())).take(1000);
    let id = ids.find(|id| Shard::of(*id) == shard).unwrap();
    Order { id, created_at: placed_at, updated_at: placed_at, ..order(customer, &[(tea, 1)]) }
}

async fn place(store: &impl OrderListings, order: &Order) {
    store.place(&placement(order, &order.id.to_string())).await.unwrap();
}

async fn save(store: &impl OrderListings, transition: Transition) -> Order {
    assert_eq!(store.save(&transition, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    transition.after().clone()
}

fn random_shard() -> Shard {
    Shard::of(UniqueIds.new_id().into())
}

/// Returns the customer's orders from all pages. `page` fetches one page.
async fn collect_pages<F>(
    customer: &CustomerId,
    limit: PageLimit,
    page: impl Fn(PageRequest<OrderPosition>) -> F,
) -> Vec<Order>
where
    F: Future<Output = Page<Order, OrderPosition>>,
{
    let mut all = Vec::new();
    let mut after = None;
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
    collect_pages(customer, limit, page).await
}

async fn paid(store: &impl OrderListings, customer: &CustomerId, day: Day, shard: Shard, limit: PageLimit) -> Vec<Order> {
    let page = async |page| store.list_paid(day, shard, &page).await.unwrap();
    collect_pages(customer, limit, page).await
}

pub async fn lists_pending_orders_oldest_first_across_pages(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let mut placed = Vec::new();
    // The identifiers sort in this sequence, which differs from the sequence of the placement times.
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

pub async fn lists_only_pending_orders_placed_before_the_time_limit(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let [before, at, after] = [61, 60, 59].map(|minutes| order_in(shard, &ada, &tea, minutes_before_now(minutes)));
    for order in [&before, &at, &after] {
        place(store, order).await;
    }
    let listed = pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await;
    assert_eq!(listed, [before], "the time limit must be exclusive");
}

pub async fn does_not_list_other_orders_as_pending(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let transitions: [fn(Order) -> Transition; 4] = [
        |order| order.pay(now()).unwrap(),
        |order| order.fail_payment(Reason::from_lossy("declined"), now()).unwrap(),
        |order| order.cancel(now()).unwrap(),
        |order| order.expire(now()).unwrap(),
    ];
    let still_pending = order_in(shard, &ada, &tea, minutes_before_now(61));
    place(store, &still_pending).await;
    for transition in transitions {
        let order = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &order).await;
        save(store, transition(order)).await;
    }
    assert_eq!(pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await, [still_pending]);
}

pub async fn lists_each_order_in_its_shard(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 99).await;
    let day = minutes_before_now(0).day();
    for shard in Shard::all() {
        let unpaid = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &unpaid).await;
        let order = order_in(shard, &ada, &tea, minutes_before_now(61));
        place(store, &order).await;
        let paid_order = save(store, order.pay(now()).unwrap()).await;
        assert_eq!(pending(store, &ada, shard, minutes_before_now(60), PageLimit::LARGEST).await, [unpaid]);
        assert_eq!(paid(store, &ada, day, shard, PageLimit::LARGEST).await, [paid_order]);
    }
}

pub async fn lists_paid_orders_by_the_day_of_the_payment(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let mut paid_orders = Vec::new();
    for time in
        ["2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00.000Z", "2026-03-02T23:59:59.999Z", "2026-03-03T00:00:00.000Z"]
    {
        let order = order_in(shard, &ada, &tea, "2026-03-01T12:00:00Z".parse().unwrap());
        place(store, &order).await;
        paid_orders.push(save(store, order.pay(time.parse().unwrap()).unwrap()).await);
    }
    let day = "2026-03-02".parse().unwrap();
    assert_eq!(paid(store, &ada, day, shard, PageLimit::LARGEST).await, paid_orders[1..3]);
}

pub async fn lists_all_paid_orders_across_pages(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let paid_at: Timestamp = "2026-03-04T10:00:00Z".parse().unwrap();
    let mut paid_ids = BTreeSet::new();
    for _ in 0..5 {
        let order = order_in(shard, &ada, &tea, paid_at);
        place(store, &order).await;
        paid_ids.insert(save(store, order.pay(paid_at).unwrap()).await.id);
    }
    let listed = paid(store, &ada, paid_at.day(), shard, "2".parse().unwrap()).await;
    assert!(listed.iter().map(|order| order.id).eq(paid_ids));
}

pub async fn does_not_list_unpaid_orders_as_paid(store: &impl OrderListings) {
    let ada = customer();
    let tea = create_product(store, 9).await;
    let shard = random_shard();
    let that_day: Timestamp = "2026-03-05T10:00:00Z".parse().unwrap();
    let transitions: [fn(Order, Timestamp) -> Transition; 3] = [
        |order, at| order.fail_payment(Reason::from_lossy("declined"), at).unwrap(),
        |order, at| order.cancel(at).unwrap(),
        |order, at| order.expire(at).unwrap(),
    ];
    for transition in transitions {
        let order = order_in(shard, &ada, &tea, that_day);
        place(store, &order).await;
        save(store, transition(order, that_day)).await;
    }
    let unpaid = order_in(shard, &ada, &tea, that_day);
    place(store, &unpaid).await;
    assert!(paid(store, &ada, that_day.day(), shard, PageLimit::LARGEST).await.is_empty());
}
