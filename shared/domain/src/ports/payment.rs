//! Taking payment and giving it back.

use ferrite_core::ports::PortError;

use crate::{Charge, OrderId, Payment};

/// Takes payment, and gives it back.
pub trait TakePayment: Sync {
    /// Charges once for each order and answers how that stands, however often it is called.
    fn charge(&self, charge: &Charge) -> impl Future<Output = Result<Payment, PaymentError>> + Send;

    /// Sees to it that the order is not paid for, whether its charge came before or is still to come: what was taken for it is
    /// given back, and whoever charges it from now on gets [`Payment::Voided`]. A payment that was declined stays declined.
    /// To call it again is safe and changes nothing.
    fn void(&self, order: OrderId) -> impl Future<Output = Result<(), PaymentError>> + Send;
}

/// Why it is not known what the gateway did. To call again with the same order is safe.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No answer in time.
    #[error("the payment gateway did not answer in time")]
    Timeout,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] PortError),
}
