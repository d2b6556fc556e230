//! Contract of the store of orders, their stock, and saved responses.

use std::collections::BTreeMap;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{Fingerprint, IdGenerator, PortError, SavedResponse};
use ferrite_core::{IdempotencyKey, PageRequest, Reason, Timestamp, TraceContext};
use futures_util::future::join_all;

use super::{now, product};
use crate::ports::{
    CreateProduct, DeleteProduct, GetOrder, GetProduct, ListOrders, PlaceOrder, PlaceOrderError, Placement, SaveResult,
    SaveTransition, UpdateProduct,
};
use crate::{
    CustomerId, LineRequest, Money, Order, OrderStatus, PaymentToken, PlacementRequest, Product, ProductPatch, Quantity,
    Stock, Transition,
};

/// All ports of the order store, and the product ports that its tests use.
pub trait OrderStore:
    CreateProduct + GetProduct + UpdateProduct + DeleteProduct + PlaceOrder + GetOrder + ListOrders + SaveTransition
{
}

impl<S> OrderStore for S where
    S: CreateProduct + GetProduct + UpdateProduct + DeleteProduct + PlaceOrder + GetOrder + ListOrders + SaveTransition
{
}

/// Generates the contract tests for an [`OrderStore`].
#[macro_export]
macro_rules! order_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::orders, $adapter,
            placing_stores_the_order_reserves_the_stock_and_saves_the_response
            returns_the_saved_response_for_a_repeated_key
            allows_reuse_of_an_expired_key
            separates_the_keys_of_different_customers
            places_nothing_if_one_product_is_out_of_stock
            places_nothing_if_a_product_changed_its_price_or_was_deleted
            hides_orders_from_other_customers
            lists_all_orders_newest_first_across_pages
            saves_a_payment_once
            returns_the_stock_once_after_a_failed_payment
            discards_the_returned_stock_of_a_deleted_product
            accepts_returned_stock_above_the_maximum
            saves_only_the_first_of_several_transitions
            saves_only_one_of_several_concurrent_transitions
        );
    };
}

pub(super) fn customer() -> CustomerId {
    CustomerId::try_from(UniqueIds.new_id().to_string()).unwrap()
}

pub(super) fn later() -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() + 60_000)
}

pub(super) fn order(customer: &CustomerId, requested: &[(&Product, u64)]) -> Order {
    let line = |&(product, quantity): &(&Product, u64)| LineRequest {
        product: product.id,
        quantity: Quantity::try_from(quantity).unwrap(),
    };
    let products: BTreeMap<_, _> = requested
        .iter()
        .map(|(product, _)| (product.id, Product { stock: 1_000_000.try_into().unwrap(), ..(*product).clone() }))
        .collect();
    PlacementRequest::new(requested.iter().map(line).collect(), PaymentToken::try_from("tok_success".to_owned()).unwrap())
        .unwrap()
        .price(UniqueIds.new_id().into(), customer.clone(), &products, now())
        .unwrap()
}

pub(super) fn placement(order: &Order, key: &str) -> Placement {
    Placement {
        order: order.clone(),
        key: IdempotencyKey::try_from(key.to_owned()).unwrap(),
        saved_response: SavedResponse {
            fingerprint: Fingerprint("f1".to_owned()),
            response: format!("placed {}", order.id),
        },
        key_expires_at: later(),
        trace_context: TraceContext::default(),
    }
}

/// Places an order of a new customer in `store` and returns it.
pub async fn place_order(store: &impl PlaceOrder, requested: &[(&Product, u64)]) -> Order {
    let order = order(&customer(), requested);
    store.place(&placement(&order, "key")).await.unwrap();
    order
}

pub(super) async fn create_product(store: &impl OrderStore, stock: u64) -> Product {
    let product = product(stock);
    store.create(&product).await.unwrap();
    product
}

async fn stock_of(store: &impl OrderStore, product: &Product) -> u32 {
    GetProduct::get(store, product.id).await.unwrap().unwrap().stock.get()
}

pub async fn placing_stores_the_order_reserves_the_stock_and_saves_the_response(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let pot = create_product(store, 1).await;
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    let placement = placement(&order, "k");
    store.place(&placement).await.unwrap();

    assert_eq!(GetOrder::get(store, &ada, order.id).await.unwrap(), Some(order));
    let remaining = GetProduct::get(store, tea.id).await.unwrap().unwrap();
    assert_eq!(
        (remaining.stock.get(), remaining.version),
        (3, tea.version.next()),
        "a change of the stock must increment the version"
    );
    assert_eq!(stock_of(store, &pot).await, 0);
    assert_eq!(store.find_saved_response(&ada, &placement.key, now()).await.unwrap(), Some(placement.saved_response));
}

pub async fn returns_the_saved_response_for_a_repeated_key(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let first = placement(&order(&ada, &[(&tea, 1)]), "k");
    store.place(&first).await.unwrap();
    let second = placement(&order(&ada, &[(&tea, 1)]), "k");
    match store.place(&second).await {
        Err(PlaceOrderError::AlreadyPlaced(saved)) => assert_eq!(saved, first.saved_response),
        other => panic!("{other:?}"),
    }
    assert_eq!(stock_of(store, &tea).await, 4);
    assert_eq!(GetOrder::get(store, &ada, second.order.id).await.unwrap(), None);
}

pub async fn allows_reuse_of_an_expired_key(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let mut first = placement(&order(&ada, &[(&tea, 1)]), "k");
    first.key_expires_at = Timestamp::from_unix_millis(now().unix_millis() - 1000);
    store.place(&first).await.unwrap();
    assert_eq!(store.find_saved_response(&ada, &first.key, now()).await.unwrap(), None);
    let second = placement(&order(&ada, &[(&tea, 1)]), "k");
    store.place(&second).await.unwrap();
    assert_eq!(store.find_saved_response(&ada, &second.key, now()).await.unwrap(), Some(second.saved_response));
}

pub async fn separates_the_keys_of_different_customers(store: &impl OrderStore) {
    let ada = customer();
    let bob = customer();
    let tea = create_product(store, 5).await;
    store.place(&placement(&order(&ada, &[(&tea, 1)]), "k")).await.unwrap();
    store.place(&placement(&order(&bob, &[(&tea, 1)]), "k")).await.unwrap();
    assert_eq!(stock_of(store, &tea).await, 3);
}

pub async fn places_nothing_if_one_product_is_out_of_stock(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let pot = create_product(store, 1).await;
    let order = order(&ada, &[(&tea, 2), (&pot, 2)]);
    let placement = placement(&order, "k");
    match store.place(&placement).await {
        Err(PlaceOrderError::OutOfStock { products }) => assert_eq!(products, [pot.id]),
        other => panic!("{other:?}"),
    }
    assert_eq!((stock_of(store, &tea).await, stock_of(store, &pot).await), (5, 1));
    assert_eq!(GetOrder::get(store, &ada, order.id).await.unwrap(), None);
    assert_eq!(store.find_saved_response(&ada, &placement.key, now()).await.unwrap(), None, "an error must not be saved");
}

pub async fn places_nothing_if_a_product_changed_its_price_or_was_deleted(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let pot = create_product(store, 5).await;
    let stale = order(&ada, &[(&tea, 1), (&pot, 1)]);
    let new_price = Money { amount: 9999.try_into().unwrap(), ..tea.price };
    let patch = ProductPatch { price: Some(new_price), ..ProductPatch::default() };
    store.update(tea.id, &patch, None, later()).await.unwrap();
    assert!(matches!(store.place(&placement(&stale, "k")).await, Err(PlaceOrderError::ProductsChanged)));

    let deleted = order(&ada, &[(&pot, 1)]);
    store.delete(pot.id).await.unwrap();
    assert!(matches!(store.place(&placement(&deleted, "k")).await, Err(PlaceOrderError::ProductsChanged)));
    assert_eq!(stock_of(store, &tea).await, 5);
    assert_eq!(GetProduct::get(store, pot.id).await.unwrap(), None);
}

pub async fn hides_orders_from_other_customers(store: &impl OrderStore) {
    let ada = customer();
    let bob = customer();
    let tea = create_product(store, 5).await;
    let order = order(&ada, &[(&tea, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    assert_eq!(GetOrder::get(store, &bob, order.id).await.unwrap(), None);
    assert!(store.list(&bob, &PageRequest::default()).await.unwrap().items.is_empty());
}

pub async fn lists_all_orders_newest_first_across_pages(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let mut placed = Vec::new();
    for key in ["a", "b", "c"] {
        let order = order(&ada, &[(&tea, 1)]);
        store.place(&placement(&order, key)).await.unwrap();
        placed.insert(0, order);
    }
    let mut page = PageRequest { limit: "2".parse().unwrap(), after: None };
    let first = store.list(&ada, &page).await.unwrap();
    assert_eq!(first.items, placed[..2]);
    page.after = first.next;
    let second = store.list(&ada, &page).await.unwrap();
    assert_eq!((second.items, second.next), (placed[2..].to_vec(), None));
}

pub async fn saves_a_payment_once(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let order = order(&ada, &[(&tea, 2)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let paid = order.clone().pay(later()).unwrap();
    assert_eq!(store.save(&paid, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    assert_eq!(store.save(&paid, &TraceContext::default()).await.unwrap(), SaveResult::Conflict);
    let declined = order.fail_payment(Reason::from_lossy("late"), later()).unwrap();
    assert_eq!(store.save(&declined, &TraceContext::default()).await.unwrap(), SaveResult::Conflict);
    assert_eq!(GetOrder::get(store, &ada, paid.after().id).await.unwrap().as_ref(), Some(paid.after()));
    assert_eq!(stock_of(store, &tea).await, 3);
}

pub async fn returns_the_stock_once_after_a_failed_payment(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let pot = create_product(store, 5).await;
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let declined = order.clone().fail_payment(Reason::from_lossy("the card was declined"), later()).unwrap();
    assert_eq!(store.save(&declined, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    assert_eq!(store.save(&declined, &TraceContext::default()).await.unwrap(), SaveResult::Conflict);
    assert_eq!((stock_of(store, &tea).await, stock_of(store, &pot).await), (5, 5));
    let saved = GetOrder::get(store, &ada, order.id).await.unwrap().unwrap();
    assert!(matches!(saved.status, OrderStatus::PaymentFailed { .. }));
    assert_eq!(&saved, declined.after());
}

pub async fn discards_the_returned_stock_of_a_deleted_product(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, 5).await;
    let pot = create_product(store, 5).await;
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    store.delete(pot.id).await.unwrap();
    let declined = order.fail_payment(Reason::from_lossy("declined"), later()).unwrap();
    assert_eq!(store.save(&declined, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    assert_eq!(stock_of(store, &tea).await, 5);
    assert_eq!(GetProduct::get(store, pot.id).await.unwrap(), None, "returned stock must not recreate a deleted product");
}

pub async fn accepts_returned_stock_above_the_maximum(store: &impl OrderStore) {
    let ada = customer();
    let tea = create_product(store, Stock::MAX).await;
    let order = order(&ada, &[(&tea, 2)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let patch = ProductPatch { stock: Some(Stock::try_from(Stock::MAX).unwrap()), ..ProductPatch::default() };
    store.update(tea.id, &patch, None, later()).await.unwrap();
    let declined = order.fail_payment(Reason::from_lossy("declined"), later()).unwrap();
    assert_eq!(store.save(&declined, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    assert_eq!(u64::from(stock_of(store, &tea).await), Stock::MAX + 2);
}

/// Returns every possible transition of a pending order.
fn transitions(order: &Order) -> [Transition; 4] {
    [
        order.clone().pay(later()).unwrap(),
        order.clone().fail_payment(Reason::from_lossy("the card was declined"), later()).unwrap(),
        order.clone().cancel(later()).unwrap(),
        order.clone().expire(later()).unwrap(),
    ]
}

/// Asserts that `winner` was saved and that the stock matches it.
async fn assert_won(store: &impl OrderStore, winner: &Transition, tea: &Product) {
    let order = winner.after();
    assert_eq!(GetOrder::get(store, &order.customer, order.id).await.unwrap().as_ref(), Some(order));
    let stock = if order.status == OrderStatus::Paid { 3 } else { 5 };
    assert_eq!(stock_of(store, tea).await, stock, "after {}", order.status.as_str());
}

pub async fn saves_only_the_first_of_several_transitions(store: &impl OrderStore) {
    let two = (0..4).flat_map(|a| (0..4).map(move |b| vec![a, b]));
    let three = two.clone().flat_map(|two| (0..4).map(move |c| [&two[..], &[c]].concat()));
    for (key, sequence) in two.chain(three).enumerate() {
        let ada = customer();
        let tea = create_product(store, 5).await;
        let order = order(&ada, &[(&tea, 2)]);
        store.place(&placement(&order, &key.to_string())).await.unwrap();
        let transitions = transitions(&order);
        for (i, index) in sequence.iter().enumerate() {
            let result = store.save(&transitions[*index], &TraceContext::default()).await.unwrap();
            assert_eq!(result == SaveResult::Saved, i == 0, "transition {i} of {sequence:?}");
        }
        assert_won(store, &transitions[sequence[0]], &tea).await;
    }
}

pub async fn saves_only_one_of_several_concurrent_transitions(store: &impl OrderStore) {
    for n in 0..8 {
        let ada = customer();
        let tea = create_product(store, 5).await;
        let order = order(&ada, &[(&tea, 2)]);
        store.place(&placement(&order, "k")).await.unwrap();
        let mut transitions = transitions(&order);
        transitions.rotate_left(n % 4);
        let trace_context = TraceContext::default();
        let results = join_all(transitions.iter().map(|transition| store.save(transition, &trace_context))).await;
        let is_saved = |result: Result<SaveResult, PortError>| result.unwrap() == SaveResult::Saved;
        let mut winners =
            transitions.iter().zip(results).filter_map(|(transition, result)| is_saved(result).then_some(transition));
        let winner = winners.next().unwrap();
        assert!(winners.next().is_none());
        assert_won(store, winner, &tea).await;
    }
}
