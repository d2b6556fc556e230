//! Limits the number of e-mails to one mailbox, whichever customers cause them, and the number of addresses that one
//! customer can cause an e-mail to.

use serde::Deserialize;

use crate::{CustomerId, DomainEvent, Email};

/// What an e-mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailPurpose {
    /// Asks the owner of an unconfirmed address to confirm it. Contains no text that a customer chose.
    Confirmation,
    /// Informs the owner of a confirmed address about an order.
    Order,
}

impl EmailPurpose {
    /// Returns the purpose of the e-mail about `event`, or `None` if no e-mail is sent for this event type.
    pub fn of_event(event: &DomainEvent) -> Option<Self> {
        match event {
            DomainEvent::CustomerRegistered(_) | DomainEvent::EmailConfirmationRequested(_) => Some(Self::Confirmation),
            DomainEvent::OrderPaid(_) | DomainEvent::OrderCancelled(_) => Some(Self::Order),
            // The response to the request confirms a placed order, and the order itself shows a declined payment.
            DomainEvent::OrderPlaced(_) | DomainEvent::OrderPaymentFailed(_) => None,
        }
    }
}

/// What counts e-mails in a clock hour (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailCounter<'a> {
    /// All e-mails to the mailbox of an address ([`Email::mailbox`]).
    Mailbox(&'a Email),
    /// Confirmation e-mails to the mailbox of an address.
    MailboxConfirmations(&'a Email),
    /// Confirmation e-mails that a customer causes, to any address.
    CustomerConfirmations(&'a CustomerId),
}

/// Maximum number of e-mails to one mailbox per clock hour; 2 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EmailLimit(u32);

impl EmailLimit {
    const MIN: u32 = 2;
    const MAX: u32 = 1_000;

    /// Maximum number of confirmation e-mails to one mailbox. It is low, because anyone can cause a confirmation e-mail
    /// to any address. The remaining e-mails are reserved for those about orders.
    const MAILBOX_CONFIRMATIONS: u32 = 3;

    /// Maximum number of confirmation e-mails that one customer can cause, so that a customer cannot make the storefront
    /// write to many addresses.
    const CUSTOMER_CONFIRMATIONS: u32 = 5;

    /// Returns each counter of an e-mail to `to`, which `customer` causes, with its maximum.
    pub fn counters<'a>(
        self,
        purpose: EmailPurpose,
        to: &'a Email,
        customer: &'a CustomerId,
    ) -> Vec<(EmailCounter<'a>, u32)> {
        let all = (EmailCounter::Mailbox(to), self.0);
        match purpose {
            EmailPurpose::Order => vec![all],
            EmailPurpose::Confirmation => vec![
                (EmailCounter::CustomerConfirmations(customer), Self::CUSTOMER_CONFIRMATIONS),
                (EmailCounter::MailboxConfirmations(to), self.0.div_ceil(2).min(Self::MAILBOX_CONFIRMATIONS)),
                all,
            ],
        }
    }
}

/// The limit is not a number from 2 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from {} to {}", EmailLimit::MIN, EmailLimit::MAX)]
pub struct InvalidEmailLimit;

impl TryFrom<u32> for EmailLimit {
    type Error = InvalidEmailLimit;

    fn try_from(limit: u32) -> Result<Self, InvalidEmailLimit> {
        if (Self::MIN..=Self::MAX).contains(&limit) { Ok(Self(limit)) } else { Err(InvalidEmailLimit) }
    }
}

impl TryFrom<String> for EmailLimit {
    type Error = InvalidEmailLimit;

    fn try_from(limit: String) -> Result<Self, InvalidEmailLimit> {
        limit.parse::<u32>().map_err(|_| InvalidEmailLimit)?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirmations_use_at_most_half_of_the_limit() {
        let to: Email = "ada@example.com".to_owned().try_into().unwrap();
        let customer: CustomerId = "ada".to_owned().try_into().unwrap();
        for (limit, confirmations) in [(2, 1), (3, 2), (5, 3), (1000, 3)] {
            let limit = EmailLimit::try_from(limit).unwrap();
            let counters = limit.counters(EmailPurpose::Confirmation, &to, &customer);
            assert!(counters.contains(&(EmailCounter::MailboxConfirmations(&to), confirmations)), "{counters:?}");
            assert!(counters.contains(&(EmailCounter::Mailbox(&to), limit.0)), "{counters:?}");
            assert_eq!(limit.counters(EmailPurpose::Order, &to, &customer), [(EmailCounter::Mailbox(&to), limit.0)]);
        }
    }

    #[test]
    fn rejects_a_limit_outside_its_range() {
        for text in ["0", "1", "1001", "-1", "many", ""] {
            assert_eq!(EmailLimit::try_from(text.to_owned()), Err(InvalidEmailLimit), "{text}");
        }
    }
}
