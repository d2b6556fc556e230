//! EmailDelivery e-mail.

use ferrite_core::Reason;
use ferrite_core::ports::PortError;

use crate::EmailMessage;

/// Sends e-mail.
pub trait SendEmail: Sync {
    /// Hands the message over to be delivered. Called twice, it sends two: whoever calls keeps a record of what was sent.
    fn send(&self, message: &EmailMessage) -> impl Future<Output = Result<(), SendEmailError>> + Send;
}

/// Why a message was not sent, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum SendEmailError {
    /// It will never be sent: the address or the message is not acceptable.
    #[error("the e-mail was rejected: {reason}")]
    Rejected {
        /// Why.
        reason: Reason,
    },
    /// It was surely not sent. To try again is safe.
    #[error("the e-mail was not sent")]
    NotSent(#[source] PortError),
    /// There was no answer, so it may have been sent. To try again may send it twice.
    #[error("whether the e-mail was sent is not known")]
    Unknown(#[source] PortError),
}
