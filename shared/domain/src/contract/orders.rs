//! The store of orders, their stock and the answers to their requests.

use std::collections::BTreeMap;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{Fingerprint, NewIds, SavedResponse};
use ferrite_core::{IdempotencyKey, PageRequest, Reason, Timestamp, TraceContext};
use futures_util::future::join_all;

use super::{now, product};
use crate::ports::{
    CreateProduct, DeleteProduct, GetOrder, GetProduct, ListOrders, PlaceOrder, PlaceOrderError, Placement, SaveTransition,
    UpdateProduct,
};
use crate::{
    CustomerId, LineRequest, Money, Order, OrderStatus, PaymentToken, PlacementRequest, Product, ProductPatch, Quantity,
    Stock, Transition,
};

/// Everything that the functions do with orders.
pub trait OrderStore:
    CreateProduct + GetProduct + UpdateProduct + DeleteProduct + PlaceOrder + GetOrder + ListOrders + SaveTransition
{
}

impl<S> OrderStore for S where
    S: CreateProduct + GetProduct + UpdateProduct + DeleteProduct + PlaceOrder + GetOrder + ListOrders + SaveTransition
{
}

/// Tests of an [`OrderStore`].
#[macro_export]
macro_rules! order_store_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::orders, $open,
            placing_keeps_the_order_takes_the_stock_and_saves_the_answer
            the_same_key_is_answered_and_changes_nothing
            an_expired_key_can_be_used_again
            keys_of_different_customers_have_nothing_to_do_with_each_other
            too_little_stock_of_one_product_places_nothing
            a_product_with_another_price_or_none_places_nothing
            an_order_is_its_customers_alone
            the_list_is_newest_first_and_its_pages_join
            a_payment_is_kept_once
            a_failed_payment_puts_the_stock_back_once
            stock_of_a_deleted_product_goes_nowhere
            stock_that_comes_back_is_never_too_much
            of_transitions_that_arrive_one_after_the_other_the_first_wins
            of_transitions_that_arrive_at_once_one_wins
        );
    };
}

pub(super) fn customer() -> CustomerId {
    CustomerId::try_from(UniqueIds.new_id().to_string()).unwrap()
}

pub(super) fn later() -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() + 60_000)
}

pub(super) fn order(customer: &CustomerId, asked: &[(&Product, u64)]) -> Order {
    let line = |&(product, quantity): &(&Product, u64)| LineRequest {
        product: product.id,
        quantity: Quantity::try_from(quantity).unwrap(),
    };
    let products: BTreeMap<_, _> = asked
        .iter()
        .map(|(product, _)| (product.id, Product { stock: 1_000_000.try_into().unwrap(), ..(*product).clone() }))
        .collect();
    PlacementRequest::new(asked.iter().map(line).collect(), PaymentToken::try_from("tok_success".to_owned()).unwrap())
        .unwrap()
        .price(UniqueIds.new_id().into(), customer.clone(), &products, now())
        .unwrap()
}

pub(super) fn placement(order: &Order, key: &str) -> Placement {
    Placement {
        order: order.clone(),
        key: IdempotencyKey::try_from(key.to_owned()).unwrap(),
        saved: SavedResponse { fingerprint: Fingerprint("f1".to_owned()), response: format!("placed {}", order.id) },
        key_expires_at: later(),
        trace_context: TraceContext::default(),
    }
}

/// An order of a new customer's, placed in `store`.
pub async fn placed(store: &impl PlaceOrder, asked: &[(&Product, u64)]) -> Order {
    let order = order(&customer(), asked);
    store.place(&placement(&order, "key")).await.unwrap();
    order
}

pub(super) async fn stocked(store: &impl OrderStore, stock: u64) -> Product {
    let product = product(stock);
    store.create(&product).await.unwrap();
    product
}

async fn stock_of(store: &impl OrderStore, product: &Product) -> u32 {
    GetProduct::get(store, product.id).await.unwrap().unwrap().stock.get()
}

pub async fn placing_keeps_the_order_takes_the_stock_and_saves_the_answer(store: &impl OrderStore) {
    let (ada, tea, pot) = (customer(), stocked(store, 5).await, stocked(store, 1).await);
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    let placement = placement(&order, "k");
    store.place(&placement).await.unwrap();

    assert_eq!(GetOrder::get(store, &ada, order.id).await.unwrap(), Some(order));
    let left = GetProduct::get(store, tea.id).await.unwrap().unwrap();
    assert_eq!((left.stock.get(), left.version), (3, tea.version.next()), "stock is part of what a version is of");
    assert_eq!(stock_of(store, &pot).await, 0);
    assert_eq!(store.find_saved_response(&ada, &placement.key, now()).await.unwrap(), Some(placement.saved));
}

pub async fn the_same_key_is_answered_and_changes_nothing(store: &impl OrderStore) {
    let (ada, tea) = (customer(), stocked(store, 5).await);
    let first = placement(&order(&ada, &[(&tea, 1)]), "k");
    store.place(&first).await.unwrap();
    let second = placement(&order(&ada, &[(&tea, 1)]), "k");
    match store.place(&second).await {
        Err(PlaceOrderError::Completed(saved)) => assert_eq!(saved, first.saved),
        other => panic!("{other:?}"),
    }
    assert_eq!(stock_of(store, &tea).await, 4);
    assert_eq!(GetOrder::get(store, &ada, second.order.id).await.unwrap(), None);
}

pub async fn an_expired_key_can_be_used_again(store: &impl OrderStore) {
    let (ada, tea) = (customer(), stocked(store, 5).await);
    let mut first = placement(&order(&ada, &[(&tea, 1)]), "k");
    first.key_expires_at = Timestamp::from_unix_millis(now().unix_millis() - 1000);
    store.place(&first).await.unwrap();
    assert_eq!(store.find_saved_response(&ada, &first.key, now()).await.unwrap(), None);
    let second = placement(&order(&ada, &[(&tea, 1)]), "k");
    store.place(&second).await.unwrap();
    assert_eq!(store.find_saved_response(&ada, &second.key, now()).await.unwrap(), Some(second.saved));
}

pub async fn keys_of_different_customers_have_nothing_to_do_with_each_other(store: &impl OrderStore) {
    let (ada, bob, tea) = (customer(), customer(), stocked(store, 5).await);
    store.place(&placement(&order(&ada, &[(&tea, 1)]), "k")).await.unwrap();
    store.place(&placement(&order(&bob, &[(&tea, 1)]), "k")).await.unwrap();
    assert_eq!(stock_of(store, &tea).await, 3);
}

pub async fn too_little_stock_of_one_product_places_nothing(store: &impl OrderStore) {
    let (ada, tea, pot) = (customer(), stocked(store, 5).await, stocked(store, 1).await);
    let order = order(&ada, &[(&tea, 2), (&pot, 2)]);
    let placement = placement(&order, "k");
    match store.place(&placement).await {
        Err(PlaceOrderError::OutOfStock { products }) => assert_eq!(products, [pot.id]),
        other => panic!("{other:?}"),
    }
    assert_eq!((stock_of(store, &tea).await, stock_of(store, &pot).await), (5, 1));
    assert_eq!(GetOrder::get(store, &ada, order.id).await.unwrap(), None);
    assert_eq!(store.find_saved_response(&ada, &placement.key, now()).await.unwrap(), None, "a refusal is not saved");
}

pub async fn a_product_with_another_price_or_none_places_nothing(store: &impl OrderStore) {
    let (ada, tea, pot) = (customer(), stocked(store, 5).await, stocked(store, 5).await);
    let stale = order(&ada, &[(&tea, 1), (&pot, 1)]);
    let dearer = Money { amount: 9999.try_into().unwrap(), ..tea.price };
    let patch = ProductPatch { price: Some(dearer), ..ProductPatch::default() };
    store.update(tea.id, &patch, None, later()).await.unwrap();
    assert!(matches!(store.place(&placement(&stale, "k")).await, Err(PlaceOrderError::ProductsChanged)));

    let gone = order(&ada, &[(&pot, 1)]);
    store.delete(pot.id).await.unwrap();
    assert!(matches!(store.place(&placement(&gone, "k")).await, Err(PlaceOrderError::ProductsChanged)));
    assert_eq!(stock_of(store, &tea).await, 5);
    assert_eq!(GetProduct::get(store, pot.id).await.unwrap(), None);
}

pub async fn an_order_is_its_customers_alone(store: &impl OrderStore) {
    let (ada, bob, tea) = (customer(), customer(), stocked(store, 5).await);
    let order = order(&ada, &[(&tea, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    assert_eq!(GetOrder::get(store, &bob, order.id).await.unwrap(), None);
    assert!(store.list(&bob, &PageRequest::default()).await.unwrap().items.is_empty());
}

pub async fn the_list_is_newest_first_and_its_pages_join(store: &impl OrderStore) {
    let (ada, tea) = (customer(), stocked(store, 5).await);
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

pub async fn a_payment_is_kept_once(store: &impl OrderStore) {
    let (ada, tea) = (customer(), stocked(store, 5).await);
    let order = order(&ada, &[(&tea, 2)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let paid = order.clone().pay(later()).unwrap();
    assert!(store.save(&paid, &TraceContext::default()).await.unwrap());
    assert!(!store.save(&paid, &TraceContext::default()).await.unwrap());
    let declined = order.fail_payment(Reason::from_lossy("late"), later()).unwrap();
    assert!(!store.save(&declined, &TraceContext::default()).await.unwrap());
    assert_eq!(GetOrder::get(store, &ada, paid.after().id).await.unwrap().as_ref(), Some(paid.after()));
    assert_eq!(stock_of(store, &tea).await, 3);
}

pub async fn a_failed_payment_puts_the_stock_back_once(store: &impl OrderStore) {
    let (ada, tea, pot) = (customer(), stocked(store, 5).await, stocked(store, 5).await);
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let declined = order.clone().fail_payment(Reason::from_lossy("the card was declined"), later()).unwrap();
    assert!(store.save(&declined, &TraceContext::default()).await.unwrap());
    assert!(!store.save(&declined, &TraceContext::default()).await.unwrap());
    assert_eq!((stock_of(store, &tea).await, stock_of(store, &pot).await), (5, 5));
    let kept = GetOrder::get(store, &ada, order.id).await.unwrap().unwrap();
    assert!(matches!(kept.status, OrderStatus::PaymentFailed { .. }));
    assert_eq!(&kept, declined.after());
}

pub async fn stock_of_a_deleted_product_goes_nowhere(store: &impl OrderStore) {
    let (ada, tea, pot) = (customer(), stocked(store, 5).await, stocked(store, 5).await);
    let order = order(&ada, &[(&tea, 2), (&pot, 1)]);
    store.place(&placement(&order, "k")).await.unwrap();
    store.delete(pot.id).await.unwrap();
    let declined = order.fail_payment(Reason::from_lossy("declined"), later()).unwrap();
    assert!(store.save(&declined, &TraceContext::default()).await.unwrap());
    assert_eq!(stock_of(store, &tea).await, 5);
    assert_eq!(GetProduct::get(store, pot.id).await.unwrap(), None, "a product does not come back as stock alone");
}

pub async fn stock_that_comes_back_is_never_too_much(store: &impl OrderStore) {
    let (ada, tea) = (customer(), stocked(store, Stock::MAX).await);
    let order = order(&ada, &[(&tea, 2)]);
    store.place(&placement(&order, "k")).await.unwrap();
    let patch = ProductPatch { stock: Some(Stock::try_from(Stock::MAX).unwrap()), ..ProductPatch::default() };
    store.update(tea.id, &patch, None, later()).await.unwrap();
    assert!(
        store
            .save(&order.fail_payment(Reason::from_lossy("declined"), later()).unwrap(), &TraceContext::default())
            .await
            .unwrap()
    );
    assert_eq!(u64::from(stock_of(store, &tea).await), Stock::MAX + 2);
}

/// Everything that can happen to a pending order, each as somebody decides it who still sees the order pending.
fn transitions(order: &Order) -> [Transition; 4] {
    [
        order.clone().pay(later()).unwrap(),
        order.clone().fail_payment(Reason::from_lossy("the card was declined"), later()).unwrap(),
        order.clone().cancel(later()).unwrap(),
        order.clone().expire(later()).unwrap(),
    ]
}

/// `winner` is what is kept, and the stock is as it leaves it.
async fn assert_won(store: &impl OrderStore, winner: &Transition, tea: &Product) {
    let order = winner.after();
    assert_eq!(GetOrder::get(store, &order.customer, order.id).await.unwrap().as_ref(), Some(order));
    let stock = if order.status == OrderStatus::Paid { 3 } else { 5 };
    assert_eq!(stock_of(store, tea).await, stock, "after {}", order.status.as_str());
}

pub async fn of_transitions_that_arrive_one_after_the_other_the_first_wins(store: &impl OrderStore) {
    let two = (0..4).flat_map(|a| (0..4).map(move |b| vec![a, b]));
    let three = two.clone().flat_map(|two| (0..4).map(move |c| [&two[..], &[c]].concat()));
    for (key, arrivals) in two.chain(three).enumerate() {
        let (ada, tea) = (customer(), stocked(store, 5).await);
        let order = order(&ada, &[(&tea, 2)]);
        store.place(&placement(&order, &key.to_string())).await.unwrap();
        let transitions = transitions(&order);
        for (i, arrival) in arrivals.iter().enumerate() {
            let is_kept = store.save(&transitions[*arrival], &TraceContext::default()).await.unwrap();
            assert_eq!(is_kept, i == 0, "arrival {i} of {arrivals:?}");
        }
        assert_won(store, &transitions[arrivals[0]], &tea).await;
    }
}

pub async fn of_transitions_that_arrive_at_once_one_wins(store: &impl OrderStore) {
    for n in 0..8 {
        let (ada, tea) = (customer(), stocked(store, 5).await);
        let order = order(&ada, &[(&tea, 2)]);
        store.place(&placement(&order, "k")).await.unwrap();
        let mut transitions = transitions(&order);
        transitions.rotate_left(n % 4);
        let none = TraceContext::default();
        let kept = join_all(transitions.iter().map(|transition| store.save(transition, &none))).await;
        let mut winners = transitions.iter().zip(kept).filter_map(|(transition, kept)| kept.unwrap().then_some(transition));
        let winner = winners.next().unwrap();
        assert!(winners.next().is_none());
        assert_won(store, winner, &tea).await;
    }
}
