//! What customers are told of what happened, by e-mail.

use ferrite_core::Reason;

use crate::{Customer, CustomerName, DomainEvent, Email, Money, OrderId};

/// What is said in one e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about, on one line.
    pub subject: String,
    /// What it says: plain text, whose lines end in `\n`.
    pub text: String,
}

/// One e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// SES message tags, which SES repeats in its events about the e-mail: names and values of letters, digits, `-` and `_`.
    pub message_tags: Vec<(&'static str, String)>,
    /// Whom it is for.
    pub to: Email,
    /// What it says.
    pub notification: Notification,
}

impl Notification {
    /// What `customer`, whom the event is about, is told of it; `None` when they are told nothing.
    pub fn of(event: &DomainEvent, customer: &Customer) -> Option<Self> {
        match event {
            DomainEvent::CustomerRegistered(_) => Some(welcome(&customer.name)),
            DomainEvent::OrderPaid(paid) => Some(receipt(&customer.name, paid.order_id, paid.total)),
            DomainEvent::OrderCancelled(cancelled) => {
                Some(cancellation(&customer.name, cancelled.order_id, &cancelled.reason, cancelled.total))
            }
            // That an order was placed is what its customer was answered, and a declined payment is for them to find there.
            DomainEvent::OrderPlaced(_) | DomainEvent::OrderPaymentFailed(_) => None,
        }
    }
}

fn welcome(name: &CustomerName) -> Notification {
    Notification {
        subject: "Welcome to the storefront".to_owned(),
        text: format!(
            "Hello {name},\n\nyou are registered. We write to this address when something happens to an order of yours.\n"
        ),
    }
}

fn receipt(name: &CustomerName, order: OrderId, total: Money) -> Notification {
    Notification {
        subject: format!("Your order {order} is paid"),
        text: format!("Hello {name},\n\nwe received {total} for your order {order}. Thank you!\n"),
    }
}

fn cancellation(name: &CustomerName, order: OrderId, reason: &Reason, total: Money) -> Notification {
    Notification {
        subject: format!("Your order {order} is cancelled"),
        text: format!(
            "Hello {name},\n\nyour order {order} over {total} is cancelled: {reason}.\n\n\
             You do not have to pay for it. If {total} were taken, you get them back.\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::{Timestamp, Version};

    use super::*;
    use crate::{CustomerRegistered, OrderCancelled, OrderPaid, OrderPaymentFailed, OrderPlaced};

    const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn ada() -> Customer {
        let now = Timestamp::from_unix_millis(1_795_384_800_000);
        Customer {
            id: "ada".to_owned().try_into().unwrap(),
            email: "ada@example.com".to_owned().try_into().unwrap(),
            name: "Ada Lovelace".to_owned().try_into().unwrap(),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        }
    }

    fn total() -> Money {
        Money { amount: 3500.try_into().unwrap(), currency: "EUR".to_owned().try_into().unwrap() }
    }

    fn told(event: DomainEvent) -> Option<Notification> {
        let told = Notification::of(&event, &ada())?;
        assert!(!told.subject.contains(['\r', '\n']), "a subject is one line");
        assert!(told.text.starts_with("Hello Ada Lovelace,\n"), "{}", told.text);
        Some(told)
    }

    #[test]
    fn a_new_customer_is_welcomed() {
        let event = DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: ada().id });
        assert_eq!(told(event).unwrap().subject, "Welcome to the storefront");
    }

    #[test]
    fn a_paid_order_is_named_with_what_was_paid() {
        let (order_id, customer_id) = (ORDER.parse().unwrap(), ada().id);
        let told = told(DomainEvent::OrderPaid(OrderPaid { order_id, customer_id, total: total() })).unwrap();
        assert!(told.subject.contains(ORDER) && told.text.contains("35.00 EUR"), "{told:?}");
    }

    #[test]
    fn a_cancelled_order_is_named_with_the_reason() {
        let (order_id, customer_id) = (ORDER.parse().unwrap(), ada().id);
        let reason = Reason::from_lossy("it was not paid in time");
        let told =
            told(DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id, reason, total: total() })).unwrap();
        assert!(told.subject.contains(ORDER), "{told:?}");
        assert!(told.text.contains("it was not paid in time") && told.text.contains("35.00 EUR"), "{told:?}");
    }

    #[test]
    fn of_the_rest_nobody_is_told() {
        let (order_id, customer_id) = (ORDER.parse().unwrap(), ada().id);
        let placed = OrderPlaced { order_id, customer_id: ada().id, lines: Vec::new(), total: total() };
        let failed = OrderPaymentFailed { order_id, customer_id, reason: Reason::from_lossy("declined") };
        assert_eq!(told(DomainEvent::OrderPlaced(placed)), None);
        assert_eq!(told(DomainEvent::OrderPaymentFailed(failed)), None);
    }
}
