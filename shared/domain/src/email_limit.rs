//! Limits the number of e-mails to one mailbox, whichever customers cause them.

use serde::Deserialize;

use crate::DomainEvent;

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

/// Maximum number of e-mails to one mailbox per clock hour (UTC); 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EmailLimit(u32);

impl EmailLimit {
    const MAX: u32 = 1_000;

    /// Maximum number of confirmation e-mails among them. It is low, because anyone can cause a confirmation e-mail to
    /// any address. It also leaves the rest to the owner of the address.
    const MAX_CONFIRMATIONS: u32 = 3;

    /// Returns the maximum number of e-mails of all purposes.
    pub fn total(self) -> u32 {
        self.0
    }

    /// Returns the maximum number of confirmation e-mails.
    pub fn confirmations(self) -> u32 {
        self.0.min(Self::MAX_CONFIRMATIONS)
    }
}

/// The limit is not a number from 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to {}", EmailLimit::MAX)]
pub struct InvalidEmailLimit;

impl TryFrom<u32> for EmailLimit {
    type Error = InvalidEmailLimit;

    fn try_from(limit: u32) -> Result<Self, InvalidEmailLimit> {
        if (1..=Self::MAX).contains(&limit) { Ok(Self(limit)) } else { Err(InvalidEmailLimit) }
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
    fn confirmations_are_part_of_the_limit() {
        let limit = |limit: u32| EmailLimit::try_from(limit).unwrap();
        assert_eq!((limit(20).total(), limit(20).confirmations()), (20, 3));
        assert_eq!((limit(2).total(), limit(2).confirmations()), (2, 2));
    }

    #[test]
    fn rejects_a_limit_outside_its_range() {
        for text in ["0", "1001", "-1", "many", ""] {
            assert_eq!(EmailLimit::try_from(text.to_owned()), Err(InvalidEmailLimit), "{text}");
        }
    }
}
