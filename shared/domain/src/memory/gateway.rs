//! In-memory sandbox payment gateway.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ferrite_core::Reason;

use crate::ports::{PaymentError, TakePayment};
use crate::{Charge, OrderId, Payment};

/// Gateway that decides by the payment token, like the deployed sandbox gateway.
///
/// `tok_success` is approved. `tok_timeout_once` times out on the first attempt and is approved on the next. All other
/// tokens are declined.
#[derive(Debug, Default)]
pub struct MemoryGateway(Mutex<BTreeMap<OrderId, Option<Payment>>>);

impl MemoryGateway {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn ledger(&self) -> MutexGuard<'_, BTreeMap<OrderId, Option<Payment>>> {
        self.0.lock().unwrap()
    }

    /// Returns the number of charged orders, without refunded ones.
    pub fn approved(&self) -> usize {
        self.ledger().values().filter(|payment| **payment == Some(Payment::Approved)).count()
    }
}

impl TakePayment for MemoryGateway {
    async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
        let mut ledger = self.ledger();
        let decided = match (ledger.get(&charge.order), charge.token.expose()) {
            (Some(Some(payment)), _) => Some(payment.clone()),
            (None, "tok_timeout_once") => None,
            (_, "tok_success" | "tok_timeout_once") => Some(Payment::Approved),
            _ => Some(Payment::Declined { reason: Reason::from_lossy("the card was declined") }),
        };
        ledger.insert(charge.order, decided.clone());
        decided.ok_or(PaymentError::Timeout)
    }

    async fn void(&self, order: OrderId) -> Result<(), PaymentError> {
        let mut ledger = self.ledger();
        if !matches!(ledger.get(&order), Some(Some(Payment::Declined { .. }))) {
            ledger.insert(order, Some(Payment::Voided));
        }
        Ok(())
    }
}
