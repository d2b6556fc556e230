//! The sandbox payment gateway.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use futures_util::future::join;

use crate::ports::{PaymentError, TakePayment};
use crate::{Charge, Payment, PaymentToken};

/// Tests of a [`TakePayment`] that decides as the sandbox does.
#[macro_export]
macro_rules! sandbox_gateway_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::gateway, $open,
            success_is_approved_and_stays_so
            a_decline_stays_a_decline
            a_timeout_once_is_approved_at_the_next_try
            an_unknown_token_is_declined
            an_order_that_was_voided_is_not_charged
            what_was_taken_is_given_back
            a_decline_is_not_voided
            a_timeout_that_was_voided_is_not_approved
            a_charge_and_a_void_at_once_end_without_a_charge
            a_void_is_of_one_order
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

pub async fn success_is_approved_and_stays_so(gateway: &impl TakePayment) {
    let charge = charge("tok_success");
    for _ in 0..3 {
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
    }
}

pub async fn a_decline_stays_a_decline(gateway: &impl TakePayment) {
    let charge = charge("tok_declined");
    for _ in 0..2 {
        assert!(matches!(gateway.charge(&charge).await.unwrap(), Payment::Declined { .. }));
    }
}

pub async fn a_timeout_once_is_approved_at_the_next_try(gateway: &impl TakePayment) {
    let charge = charge("tok_timeout_once");
    assert!(matches!(gateway.charge(&charge).await, Err(PaymentError::Timeout)));
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Approved);
}

pub async fn an_unknown_token_is_declined(gateway: &impl TakePayment) {
    assert!(matches!(gateway.charge(&charge("tok_from_elsewhere")).await.unwrap(), Payment::Declined { .. }));
}

pub async fn an_order_that_was_voided_is_not_charged(gateway: &impl TakePayment) {
    for token in ["tok_success", "tok_timeout_once", "tok_declined"] {
        let charge = charge(token);
        gateway.void(charge.order).await.unwrap();
        for _ in 0..2 {
            assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided, "{token}");
        }
    }
}

pub async fn what_was_taken_is_given_back(gateway: &impl TakePayment) {
    let charge = charge("tok_success");
    gateway.charge(&charge).await.unwrap();
    for _ in 0..2 {
        gateway.void(charge.order).await.unwrap();
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided);
    }
}

pub async fn a_decline_is_not_voided(gateway: &impl TakePayment) {
    let charge = charge("tok_declined");
    let declined = gateway.charge(&charge).await.unwrap();
    gateway.void(charge.order).await.unwrap();
    assert_eq!(gateway.charge(&charge).await.unwrap(), declined);
}

pub async fn a_timeout_that_was_voided_is_not_approved(gateway: &impl TakePayment) {
    let charge = charge("tok_timeout_once");
    assert!(gateway.charge(&charge).await.is_err());
    gateway.void(charge.order).await.unwrap();
    assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided);
}

pub async fn a_charge_and_a_void_at_once_end_without_a_charge(gateway: &impl TakePayment) {
    for token in ["tok_success", "tok_timeout_once"].repeat(10) {
        let charge = charge(token);
        let (_, voided) = join(gateway.charge(&charge), gateway.void(charge.order)).await;
        voided.unwrap();
        assert_eq!(gateway.charge(&charge).await.unwrap(), Payment::Voided, "{token}");
    }
}

pub async fn a_void_is_of_one_order(gateway: &impl TakePayment) {
    let (one, other) = (charge("tok_success"), charge("tok_success"));
    gateway.void(one.order).await.unwrap();
    assert_eq!(gateway.charge(&other).await.unwrap(), Payment::Approved);
}
