//! The sandbox payment gateway.

use crate::memory::UniqueIds;
use crate::ports::{NewIds, PaymentError, TakePayment};
use crate::{Charge, Payment, PaymentToken};

/// Tests of a [`TakePayment`] that decides as the sandbox does.
#[macro_export]
macro_rules! sandbox_gateway_contract {
    ($open:expr) => {
        $crate::contract_tests!(
            $crate::contract::gateway, $open,
            success_is_approved_and_stays_so
            a_decline_stays_a_decline
            a_timeout_once_is_approved_at_the_next_try
            an_unknown_token_is_declined
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
