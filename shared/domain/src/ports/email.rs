//! Ports for sending e-mail, for its limits, and for feedback about addresses.

use ferrite_core::ports::PortError;
use ferrite_core::{Reason, Timestamp};

use crate::{Email, EmailCounter, EmailDelivery, EmailFeedback, EmailMessage};

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

/// Counts e-mails against limits.
pub trait LimitEmails: Sync {
    /// Reserves one of the `max` e-mails of a counter in the clock hour of `now`. Another call with a reserved delivery
    /// in the same hour returns [`Reservation::Reserved`] and does not count again.
    fn reserve(
        &self,
        counter: EmailCounter<'_>,
        delivery: &EmailDelivery,
        max: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<Reservation, PortError>> + Send;
}

/// Result of [`LimitEmails::reserve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Reservation {
    /// The e-mail may be sent.
    Reserved,
    /// The counter has reached its maximum for this hour.
    LimitReached,
}

/// Looks up feedback about an address.
pub trait GetEmailFeedback: Sync {
    /// Returns the feedback about the address with strongly consistent reads, or `None` if there was none. Upper and
    /// lower case are not distinguished. A complaint applies to all addresses of the mailbox ([`Email::mailbox`]).
    fn feedback(&self, address: &Email) -> impl Future<Output = Result<Option<EmailFeedback>, PortError>> + Send;
}

/// Saves feedback about an address.
pub trait SaveEmailFeedback: Sync {
    /// Saves the feedback, so that no more e-mail is sent to the address. The first feedback about an address is kept,
    /// except that a complaint replaces a bounce. The result is therefore the same if feedback arrives twice or in
    /// another order.
    fn save_feedback(&self, address: &Email, feedback: EmailFeedback) -> impl Future<Output = Result<(), PortError>> + Send;
}
