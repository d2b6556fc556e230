//! The e-mails that customers receive.

use ferrite_core::Reason;

use crate::{Customer, CustomerName, DomainEvent, Email, Money, OrderId};

/// Subject and text of one e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The subject; a single line.
    pub subject: String,
    /// The body: plain text whose lines end in `\n`.
    pub text: String,
}

/// An e-mail and its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// Amazon SES message tags. SES includes them in the events that it publishes about the e-mail. Names and values
    /// may contain ASCII letters, digits, `-`, and `_`.
    pub message_tags: Vec<(&'static str, String)>,
    /// The recipient's address.
    pub to: Email,
    /// The subject and text.
    pub notification: Notification,
}

impl Notification {
    /// Returns the e-mail that informs `customer` of the event, or `None` if no e-mail is sent for this event type.
    pub fn for_event(event: &DomainEvent, customer: &Customer) -> Option<Self> {
        match event {
            DomainEvent::CustomerRegistered(_) => Some(welcome(&customer.name)),
            DomainEvent::OrderPaid(paid) => Some(receipt(&customer.name, paid.order_id, paid.total)),
            DomainEvent::OrderCancelled(cancelled) => {
                Some(cancellation(&customer.name, cancelled.order_id, &cancelled.reason, cancelled.total))
            }
            // The response to the request confirms a placed order, and the order itself shows a declined payment.
            DomainEvent::OrderPlaced(_) | DomainEvent::OrderPaymentFailed(_) => None,
        }
    }
}

fn welcome(name: &CustomerName) -> Notification {
    Notification {
        subject: "Welcome to the storefront".to_owned(),
        text: format!("Hello {name},\n\nThanks for signing up. We will use this address to e-mail you about your orders.\n"),
    }
}

fn receipt(name: &CustomerName, order: OrderId, total: Money) -> Notification {
    Notification {
        subject: format!("Your order {order} has been paid"),
        text: format!(
            "Hello {name},\n\nWe received your payment of {total} for order {order}. Thank you for your purchase!\n"
        ),
    }
}

fn cancellation(name: &CustomerName, order: OrderId, reason: &Reason, total: Money) -> Notification {
    Notification {
        subject: format!("Your order {order} has been cancelled"),
        text: format!(
            "Hello {name},\n\nYour order {order} for {total} has been cancelled. Reason: {reason}.\n\n\
             You do not need to pay for it. If you were already charged {total}, we will refund it.\n"
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

    fn notification(event: DomainEvent) -> Option<Notification> {
        let notification = Notification::for_event(&event, &ada())?;
        assert!(!notification.subject.contains(['\r', '\n']), "the subject must be a single line");
        assert!(notification.text.starts_with("Hello Ada Lovelace,\n"), "{}", notification.text);
        Some(notification)
    }

    #[test]
    fn welcomes_a_new_customer() {
        let event = DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: ada().id });
        assert_eq!(notification(event).unwrap().subject, "Welcome to the storefront");
    }

    #[test]
    fn receipt_names_the_order_and_the_amount() {
        let order_id = ORDER.parse().unwrap();
        let customer_id = ada().id;
        let receipt = notification(DomainEvent::OrderPaid(OrderPaid { order_id, customer_id, total: total() })).unwrap();
        assert!(receipt.subject.contains(ORDER) && receipt.text.contains("35.00 EUR"), "{receipt:?}");
    }

    #[test]
    fn cancellation_names_the_order_the_reason_and_the_amount() {
        let order_id = ORDER.parse().unwrap();
        let customer_id = ada().id;
        let reason = Reason::from_lossy("payment was not received in time");
        let event = DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id, reason, total: total() });
        let cancellation = notification(event).unwrap();
        assert!(cancellation.subject.contains(ORDER), "{cancellation:?}");
        assert!(cancellation.text.contains("payment was not received in time"), "{cancellation:?}");
        assert!(cancellation.text.contains("35.00 EUR"), "{cancellation:?}");
    }

    #[test]
    fn sends_nothing_for_placed_orders_and_declined_payments() {
        let order_id = ORDER.parse().unwrap();
        let customer_id = ada().id;
        let placed = OrderPlaced { order_id, customer_id: ada().id, lines: Vec::new(), total: total() };
        let failed = OrderPaymentFailed { order_id, customer_id, reason: Reason::from_lossy("declined") };
        assert_eq!(notification(DomainEvent::OrderPlaced(placed)), None);
        assert_eq!(notification(DomainEvent::OrderPaymentFailed(failed)), None);
    }
}
