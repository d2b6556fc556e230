//! Port for sending e-mail.

use ferrite_core::Reason;
use ferrite_core::ports::PortError;

use crate::EmailMessage;

/// Sends e-mail.
pub trait SendEmail: Sync {
    /// Sends the message. It is not idempotent: two calls send two e-mails, so the caller must record what it has sent.
    fn send(&self, message: &EmailMessage) -> impl Future<Output = Result<(), SendEmailError>> + Send;
}

/// Reason that a message was not sent, or may not have been sent.
#[derive(Debug, thiserror::Error)]
pub enum SendEmailError {
    /// The address or the message was rejected. A retry cannot succeed.
    #[error("the e-mail was rejected: {reason}")]
    Rejected {
        /// The reason.
        reason: Reason,
    },
    /// The e-mail was definitely not sent. A retry is safe.
    #[error("the e-mail was not sent")]
    NotSent(#[source] PortError),
    /// There was no response, so the e-mail may have been sent. A retry may send it twice.
    #[error("it is unknown whether the e-mail was sent")]
    Unknown(#[source] PortError),
}
