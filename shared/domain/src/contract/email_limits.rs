//! Contract of the e-mail limits.

use std::time::Duration;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use futures_util::future::join_all;

use super::now;
use crate::ports::{LimitEmails, Reservation};
use crate::{Email, EmailDelivery, EmailPurpose};

/// Generates the contract tests for a [`LimitEmails`].
#[macro_export]
macro_rules! email_limits_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::email_limits, $adapter,
            limits_the_emails_to_a_mailbox
            limits_confirmations_separately
            counts_confirmations_against_the_total
            counts_a_repeated_delivery_once
            starts_again_every_hour
            limits_concurrent_deliveries
        );
    };
}

/// A unique address at a mailbox of its own, and another address of the same mailbox.
fn addresses() -> [Email; 2] {
    let user = UniqueIds.new_id();
    [format!("{user}@example.com"), format!("{user}+offer@EXAMPLE.com")].map(|address| address.try_into().unwrap())
}

fn delivery() -> EmailDelivery {
    EmailDelivery::new(UniqueIds.new_id().simple().to_string())
}

/// Reserves a new delivery for each purpose. Returns how many were reserved.
async fn reserve_all(limits: &impl LimitEmails, to: &Email, limit: u32, purposes: &[EmailPurpose]) -> usize {
    let mut reserved = 0;
    for purpose in purposes {
        let result = limits.reserve(to, &delivery(), *purpose, limit.try_into().unwrap(), now()).await.unwrap();
        reserved += usize::from(result == Reservation::Reserved);
    }
    reserved
}

pub async fn limits_the_emails_to_a_mailbox(limits: &impl LimitEmails) {
    let [address, same_mailbox] = addresses();
    let [other, _] = addresses();
    assert_eq!(reserve_all(limits, &address, 5, &[EmailPurpose::Order; 3]).await, 3);
    assert_eq!(reserve_all(limits, &same_mailbox, 5, &[EmailPurpose::Order; 3]).await, 2);
    assert_eq!(reserve_all(limits, &other, 5, &[EmailPurpose::Order; 1]).await, 1);
}

pub async fn limits_confirmations_separately(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    assert_eq!(reserve_all(limits, &address, 5, &[EmailPurpose::Confirmation; 10]).await, 3);
    assert_eq!(reserve_all(limits, &address, 5, &[EmailPurpose::Order; 10]).await, 2);
}

pub async fn counts_confirmations_against_the_total(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    assert_eq!(reserve_all(limits, &address, 5, &[EmailPurpose::Order; 4]).await, 4);
    assert_eq!(reserve_all(limits, &address, 5, &[EmailPurpose::Confirmation; 3]).await, 1);
}

pub async fn counts_a_repeated_delivery_once(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    for purpose in [EmailPurpose::Order, EmailPurpose::Confirmation] {
        let [delivery, other] = [delivery(), delivery()];
        for delivery in [&delivery, &delivery, &other, &delivery] {
            let result = limits.reserve(&address, delivery, purpose, 4.try_into().unwrap(), now()).await.unwrap();
            assert_eq!(result, Reservation::Reserved);
        }
    }
    assert_eq!(reserve_all(limits, &address, 4, &[EmailPurpose::Order]).await, 0);
}

pub async fn starts_again_every_hour(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    assert_eq!(reserve_all(limits, &address, 1, &[EmailPurpose::Order; 2]).await, 1);
    let next_hour = now().plus(Duration::from_secs(60 * 60));
    let result = limits.reserve(&address, &delivery(), EmailPurpose::Order, 1.try_into().unwrap(), next_hour).await.unwrap();
    assert_eq!(result, Reservation::Reserved);
}

pub async fn limits_concurrent_deliveries(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    let results = join_all((0..10).map(|_| reserve_all(limits, &address, 4, &[EmailPurpose::Order]))).await;
    assert_eq!(results.into_iter().sum::<usize>(), 4);
}
