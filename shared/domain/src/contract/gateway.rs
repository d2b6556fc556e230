//! Contract of the sandbox payment gateway.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use futures_util::future::join;

use crate::ports::{PaymentError, TakePayment};
use crate::{Charge, Payment, PaymentToken};

/// Generates the contract tests for a [`TakePayment`] with the sandbox's test tokens.
#[macro_export]
macro_rules! sandbox_gateway_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::gateway, $adapter,
            approves_a_charge_and_its_retries
            declines_a_charge_and_its_retries
            approves_the_retry_after_a_timeout
            declines_an_unknown_token
            does_not_charge_a_voided_order
            voids_an_approved_charge
            keeps_a_decline_when_voided
            does_not_approve_a_voided_order_after_a_timeout
            voids_an_order_that_is_charged_concurrently
            voids_only_the_given_order
        );
    };
}

fn charge(token: &str) -> Charge {
    Charge {
        order: UniqueIds.new_id().into(),
        amount: super::product(1).price,
        token: PaymentToken::try_from(token.to_owned()).unwrap(),
    }
}

pub async fn approves_a_charge_and_its_retries(gateway: &impl TakePayment) {
    let charge = charge("tok_success");
    for _ in 0..3 {
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
    }
}

pub async fn declines_a_charge_and_its_retries(gateway: &impl TakePayment) {
    let charge = charge("tok_declined");
    for _ in 0..2 {
        assert!(matches!(gateway.charge(&charge).await.unwrap(), Payment::Declined { .. }));
    }
}

pub async fn approves_the_retry_after_a_timeout(gateway: &impl TakePayment) {
    let charge = charge("tok_timeout_once");
    assert!(matches!(gateway.charge(&charge).await, Err(PaymentError::Timeout)));
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
}

pub async fn declines_an_unknown_token(gateway: &impl TakePayment) {
    assert!(matches!(gateway.charge(&charge("tok_unknown")).await.unwrap(), Payment::Declined { .. }));
}

pub async fn does_not_charge_a_voided_order(gateway: &impl TakePayment) {
    for token in ["tok_success", "tok_timeout_once", "tok_declined"] {
        let charge = charge(token);
        gateway.void(charge.order).await.unwrap();
        for _ in 0..2 {
            assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided, "{token}");
        }
    }
}

pub async fn voids_an_approved_charge(gateway: &impl TakePayment) {
    let charge = charge("tok_success");
    gateway.charge(&charge).await.unwrap();
    for _ in 0..2 {
        gateway.void(charge.order).await.unwrap();
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided);
    }
}

pub async fn keeps_a_decline_when_voided(gateway: &impl TakePayment) {
    let charge = charge("tok_declined");
    let declined = gateway.charge(&charge).await.unwrap();
    gateway.void(charge.order).await.unwrap();
    assert_eq!(gateway.charge(&charge).await.unwrap(), declined);
}

pub async fn does_not_approve_a_voided_order_after_a_timeout(gateway: &impl TakePayment) {
    let charge = charge("tok_timeout_once");
    assert!(gateway.charge(&charge).await.is_err());
    gateway.void(charge.order).await.unwrap();
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided);
}

pub async fn voids_an_order_that_is_charged_concurrently(gateway: &impl TakePayment) {
    for token in ["tok_success", "tok_timeout_once"].repeat(10) {
        let charge = charge(token);
        let (_, voided) = join(gateway.charge(&charge), gateway.void(charge.order)).await;
        voided.unwrap();
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided, "{token}");
    }
}

pub async fn voids_only_the_given_order(gateway: &impl TakePayment) {
    let one = charge("tok_success");
    let other = charge("tok_success");
    gateway.void(one.order).await.unwrap();
    assert_eq!(gateway.charge(&other).await.unwrap(), Payment::Approved);
}
