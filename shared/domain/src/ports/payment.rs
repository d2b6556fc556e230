//! Port for charging and voiding payments.

use ferrite_core::ports::PortError;

use crate::{Charge, OrderId, Payment};

/// Charges and voids payments.
pub trait TakePayment: Sync {
    /// Charges the order and returns the result. It is idempotent: an order is charged only once.
    fn charge(&self, charge: &Charge) -> impl Future<Output = Result<Payment, PaymentError>> + Send;

    /// Voids the payment of the order. An amount that was already charged is refunded, and later charges of the order
    /// return [`Payment::Voided`]. A declined payment stays declined. The call is idempotent.
    fn void(&self, order: OrderId) -> impl Future<Output = Result<(), PaymentError>> + Send;
}

/// Reason that the result at the gateway is unknown. A retry with the same order is safe.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The request timed out.
    #[error("the payment gateway did not respond in time")]
    Timeout,
    /// The request to the gateway failed.
    #[error(transparent)]
    Gateway(#[from] PortError),
}
