//! Contract of the e-mail limits.

use std::time::Duration;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use futures_util::future::join_all;

use super::now;
use crate::ports::{LimitEmails, Reservation};
use crate::{CustomerId, Email, EmailCounter, EmailDelivery};

/// Generates the contract tests for a [`LimitEmails`].
#[macro_export]
macro_rules! email_limits_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::email_limits, $adapter,
            limits_the_emails_to_a_mailbox
            counts_each_counter_separately
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

/// Reserves `count` new deliveries. Returns how many were reserved.
async fn reserve(limits: &impl LimitEmails, counter: EmailCounter<'_>, max: u32, count: usize) -> usize {
    let mut reserved = 0;
    for _ in 0..count {
        let result = limits.reserve(counter, &delivery(), max, now()).await.unwrap();
        reserved += usize::from(result == Reservation::Reserved);
    }
    reserved
}

pub async fn limits_the_emails_to_a_mailbox(limits: &impl LimitEmails) {
    let [address, same_mailbox] = addresses();
    let [other, _] = addresses();
    assert_eq!(reserve(limits, EmailCounter::Mailbox(&address), 5, 3).await, 3);
    assert_eq!(reserve(limits, EmailCounter::Mailbox(&same_mailbox), 5, 3).await, 2);
    assert_eq!(reserve(limits, EmailCounter::Mailbox(&other), 5, 1).await, 1);
}

pub async fn counts_each_counter_separately(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    let customer: CustomerId = UniqueIds.new_id().to_string().try_into().unwrap();
    for counter in [
        EmailCounter::Mailbox(&address),
        EmailCounter::MailboxConfirmations(&address),
        EmailCounter::CustomerConfirmations(&customer),
    ] {
        assert_eq!(reserve(limits, counter, 2, 3).await, 2, "{counter:?}");
    }
}

pub async fn counts_a_repeated_delivery_once(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    let counter = EmailCounter::Mailbox(&address);
    let [first, second] = [delivery(), delivery()];
    for delivery in [&first, &first, &second, &first] {
        assert_eq!(limits.reserve(counter, delivery, 2, now()).await.unwrap(), Reservation::Reserved);
    }
    assert_eq!(reserve(limits, counter, 2, 1).await, 0);
}

pub async fn starts_again_every_hour(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    let counter = EmailCounter::Mailbox(&address);
    assert_eq!(reserve(limits, counter, 1, 2).await, 1);
    let next_hour = now().plus(Duration::from_secs(60 * 60));
    assert_eq!(limits.reserve(counter, &delivery(), 1, next_hour).await.unwrap(), Reservation::Reserved);
}

pub async fn limits_concurrent_deliveries(limits: &impl LimitEmails) {
    let [address, _] = addresses();
    let results = join_all((0..10).map(|_| reserve(limits, EmailCounter::Mailbox(&address), 4, 1))).await;
    assert_eq!(results.into_iter().sum::<usize>(), 4);
}
