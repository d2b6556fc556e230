//! Contract of the customer store.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_core::{Timestamp, TraceContext, Version};
use futures_util::future::join_all;

use super::now;
use crate::ports::{GetCustomer, PutCustomer, SaveResult};
use crate::{ConfirmationOutcome, ConfirmationRequest, ConfirmationToken, Customer, EmailConfirmation};

/// All ports of the customer store.
pub trait CustomerStore: GetCustomer + PutCustomer {}

impl<S> CustomerStore for S where S: GetCustomer + PutCustomer {}

/// Registers a customer with an address that is not confirmed yet. The token is unique.
pub async fn register(store: &impl PutCustomer, id: &str, email: &str) -> Customer {
    let customer =
        Customer { id: id.to_owned().try_into().unwrap(), email: email.to_owned().try_into().unwrap(), ..customer() };
    assert_eq!(store.put(&customer, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    customer
}

/// Confirms the address of a registered customer. Returns the changed customer.
pub async fn confirm(store: &impl PutCustomer, customer: &Customer) -> Customer {
    let token = customer.email_confirmation.valid_token(now()).unwrap();
    let ConfirmationOutcome::Confirmed(confirmed) = customer.clone().confirm_email(token, now()).unwrap() else {
        panic!("the address is confirmed already");
    };
    assert_eq!(store.put(&confirmed, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
    confirmed
}

/// Generates the contract tests for a [`CustomerStore`].
#[macro_export]
macro_rules! customer_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::customers, $adapter,
            returns_a_registered_customer
            returns_each_state_of_the_email_confirmation
            returns_none_for_an_unregistered_customer
            saves_a_change_only_if_based_on_the_stored_version
            saves_one_of_several_concurrent_registrations
            saves_one_of_several_concurrent_changes
            accepts_retries_until_the_next_change
        );
    };
}

fn customer() -> Customer {
    let id = UniqueIds.new_id().to_string();
    Customer {
        email: format!("{id}@example.com").try_into().unwrap(),
        email_confirmation: EmailConfirmation::Unconfirmed {
            request: Some(ConfirmationRequest { token: ConfirmationToken::new(UniqueIds.new_id()), requested_at: now() }),
        },
        id: id.try_into().unwrap(),
        name: "Ada Lovelace".to_owned().try_into().unwrap(),
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

/// Returns the customer's next version, with another name.
fn renamed(customer: &Customer, name: &str) -> Customer {
    Customer {
        name: name.to_owned().try_into().unwrap(),
        version: customer.version.next(),
        updated_at: Timestamp::from_unix_millis(now().unix_millis() + 60_000),
        ..customer.clone()
    }
}

/// Saves the customer. Returns whether it was saved.
async fn put(store: &impl CustomerStore, customer: &Customer) -> bool {
    store.put(customer, &TraceContext::default()).await.unwrap() == SaveResult::Saved
}

pub async fn returns_a_registered_customer(store: &impl CustomerStore) {
    let customer = customer();
    assert!(put(store, &customer).await);
    assert_eq!(store.get(&customer.id).await.unwrap(), Some(customer));
}

pub async fn returns_each_state_of_the_email_confirmation(store: &impl CustomerStore) {
    for email_confirmation in [EmailConfirmation::Confirmed { at: now() }, EmailConfirmation::Unconfirmed { request: None }]
    {
        let customer = Customer { email_confirmation, ..customer() };
        assert!(put(store, &customer).await);
        assert_eq!(store.get(&customer.id).await.unwrap(), Some(customer));
    }
}

pub async fn returns_none_for_an_unregistered_customer(store: &impl CustomerStore) {
    let customer = customer();
    assert_eq!(store.get(&customer.id).await.unwrap(), None);
    assert!(!put(store, &renamed(&customer, "Ada")).await, "a change must not create a customer");
    assert_eq!(store.get(&customer.id).await.unwrap(), None);
}

pub async fn saves_a_change_only_if_based_on_the_stored_version(store: &impl CustomerStore) {
    let first = customer();
    put(store, &first).await;
    let second = renamed(&first, "Ada L.");
    assert!(put(store, &second).await);
    assert!(!put(store, &renamed(&first, "Augusta")).await);
    assert!(
        !put(store, &Customer { name: second.name.clone(), ..first.clone() }).await,
        "a second first version must not be saved"
    );
    assert_eq!(store.get(&first.id).await.unwrap(), Some(second));
}

/// Saves all `customers` concurrently and asserts that exactly one was saved.
async fn assert_one_is_saved(store: &impl CustomerStore, customers: &[Customer]) {
    let results = join_all(customers.iter().map(|customer| put(store, customer))).await;
    let mut saved = customers.iter().zip(results).filter(|(_, is_saved)| *is_saved);
    let (winner, _) = saved.next().unwrap();
    assert!(saved.next().is_none());
    assert_eq!(store.get(&winner.id).await.unwrap().as_ref(), Some(winner));
}

pub async fn saves_one_of_several_concurrent_registrations(store: &impl CustomerStore) {
    let customer = customer();
    let named = |n| Customer { name: format!("Ada {n}").try_into().unwrap(), ..customer.clone() };
    assert_one_is_saved(store, &(0..10).map(named).collect::<Vec<_>>()).await;
}

pub async fn saves_one_of_several_concurrent_changes(store: &impl CustomerStore) {
    let customer = customer();
    put(store, &customer).await;
    assert_one_is_saved(store, &(0..10).map(|n| renamed(&customer, &format!("Ada {n}"))).collect::<Vec<_>>()).await;
}

pub async fn accepts_retries_until_the_next_change(store: &impl CustomerStore) {
    let first = customer();
    let second = renamed(&first, "Ada L.");
    for customer in [&first, &first, &second, &second] {
        assert!(put(store, customer).await);
    }
    assert!(!put(store, &first).await);
    assert_eq!(store.get(&first.id).await.unwrap(), Some(second));
}
