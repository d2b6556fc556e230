//! The store of customers.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use ferrite_core::{Timestamp, TraceContext, Version};
use futures_util::future::join_all;

use super::now;
use crate::Customer;
use crate::ports::{GetCustomer, PutCustomer};

/// Everything that the functions do with customers.
pub trait CustomerStore: GetCustomer + PutCustomer {}

impl<S> CustomerStore for S where S: GetCustomer + PutCustomer {}

/// Tests of a [`CustomerStore`].
#[macro_export]
macro_rules! customer_store_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::customers, $open,
            a_customer_reads_back_as_they_registered
            who_never_registered_is_not_found
            a_change_is_kept_if_it_was_made_of_what_is_kept
            of_several_who_register_the_same_customer_at_once_one_does
            of_several_changes_at_once_one_is_kept
            what_was_put_may_be_put_again_until_it_changes
        );
    };
}

fn customer() -> Customer {
    let id = UniqueIds.new_id().to_string();
    Customer {
        email: format!("{id}@example.com").try_into().unwrap(),
        id: id.try_into().unwrap(),
        name: "Ada Lovelace".to_owned().try_into().unwrap(),
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

/// The customer's next version, with another name.
fn renamed(customer: &Customer, name: &str) -> Customer {
    Customer {
        name: name.to_owned().try_into().unwrap(),
        version: customer.version.next(),
        updated_at: Timestamp::from_unix_millis(now().unix_millis() + 60_000),
        ..customer.clone()
    }
}

async fn put(store: &impl CustomerStore, customer: &Customer) -> bool {
    store.put(customer, &TraceContext::default()).await.unwrap()
}

pub async fn a_customer_reads_back_as_they_registered(store: &impl CustomerStore) {
    let customer = customer();
    assert!(put(store, &customer).await);
    assert_eq!(store.get(&customer.id).await.unwrap(), Some(customer));
}

pub async fn who_never_registered_is_not_found(store: &impl CustomerStore) {
    let customer = customer();
    assert_eq!(store.get(&customer.id).await.unwrap(), None);
    assert!(!put(store, &renamed(&customer, "Ada")).await, "a change does not make a customer");
    assert_eq!(store.get(&customer.id).await.unwrap(), None);
}

pub async fn a_change_is_kept_if_it_was_made_of_what_is_kept(store: &impl CustomerStore) {
    let first = customer();
    put(store, &first).await;
    let second = renamed(&first, "Ada L.");
    assert!(put(store, &second).await);
    assert!(!put(store, &renamed(&first, "Augusta")).await);
    assert!(!put(store, &Customer { name: second.name.clone(), ..first.clone() }).await, "they are registered already");
    assert_eq!(store.get(&first.id).await.unwrap(), Some(second));
}

/// Puts all of them at once, finds that one was kept and nothing of the others.
async fn one_is_kept(store: &impl CustomerStore, customers: &[Customer]) {
    let kept = join_all(customers.iter().map(|customer| put(store, customer))).await;
    let mut kept = customers.iter().zip(kept).filter(|(_, kept)| *kept);
    let (one, _) = kept.next().unwrap();
    assert!(kept.next().is_none());
    assert_eq!(store.get(&one.id).await.unwrap().as_ref(), Some(one));
}

pub async fn of_several_who_register_the_same_customer_at_once_one_does(store: &impl CustomerStore) {
    let customer = customer();
    let named = |n| Customer { name: format!("Ada {n}").try_into().unwrap(), ..customer.clone() };
    one_is_kept(store, &(0..10).map(named).collect::<Vec<_>>()).await;
}

pub async fn of_several_changes_at_once_one_is_kept(store: &impl CustomerStore) {
    let customer = customer();
    put(store, &customer).await;
    one_is_kept(store, &(0..10).map(|n| renamed(&customer, &format!("Ada {n}"))).collect::<Vec<_>>()).await;
}

pub async fn what_was_put_may_be_put_again_until_it_changes(store: &impl CustomerStore) {
    let first = customer();
    let second = renamed(&first, "Ada L.");
    for customer in [&first, &first, &second, &second] {
        assert!(put(store, customer).await);
    }
    assert!(!put(store, &first).await);
    assert_eq!(store.get(&first.id).await.unwrap(), Some(second));
}
