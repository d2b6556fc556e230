//! The e-mails that customers receive.

use ferrite_core::{Reason, Timestamp};

use crate::{ConfirmationRequest, ConfirmationToken, Customer, CustomerName, DomainEvent, Email, Money, OrderId};

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
    /// Returns the e-mail about `event` to `customer`, whose address is in the state that it has at `now`.
    ///
    /// Only a confirmed address receives text that the customer chose, such as the name. An unconfirmed address
    /// receives only the confirmation token in a fixed text. Returns `None` if there is no e-mail for the event type, if
    /// the address is not confirmed, or if there is no valid token to confirm it with.
    pub fn for_event(event: &DomainEvent, customer: &Customer, now: Timestamp) -> Option<Self> {
        let confirmation = &customer.email_confirmation;
        match event {
            DomainEvent::CustomerRegistered(_) => confirmation.valid_token(now).map(welcome),
            DomainEvent::EmailConfirmationRequested(_) => confirmation.valid_token(now).map(confirmation_request),
            DomainEvent::OrderPaid(paid) if confirmation.is_confirmed() => {
                Some(receipt(&customer.name, paid.order_id, paid.total))
            }
            DomainEvent::OrderCancelled(cancelled) if confirmation.is_confirmed() => {
                Some(cancellation(&customer.name, cancelled.order_id, &cancelled.reason, cancelled.total))
            }
            _ => None,
        }
    }
}

fn welcome(token: &ConfirmationToken) -> Notification {
    let text = format!("Hello,\n\nThanks for signing up. {}", how_to_confirm(token));
    Notification { subject: "Welcome to the storefront".to_owned(), text }
}

fn confirmation_request(token: &ConfirmationToken) -> Notification {
    let text = format!("Hello,\n\nThis address was entered for a storefront account. {}", how_to_confirm(token));
    Notification { subject: "Confirm your e-mail address".to_owned(), text }
}

fn how_to_confirm(token: &ConfirmationToken) -> String {
    let hours = ConfirmationRequest::LIFETIME.as_secs() / 3600;
    format!(
        "To confirm that this address is yours, enter this token:\n\n{}\n\nThe token is valid for {hours} hours. Once \
         the address is confirmed, we will use it to e-mail you about your orders.\n\nIf you did not sign up, you can \
         ignore this e-mail.\n",
        token.expose()
    )
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
    use ferrite_core::Version;
    use uuid::Uuid;

    use super::*;
    use crate::{
        CustomerRegistered, EmailConfirmation, EmailConfirmationRequested, OrderCancelled, OrderPaid, OrderPaymentFailed,
        OrderPlaced,
    };

    const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_795_384_800_000)
    }

    fn ada(email_confirmation: EmailConfirmation) -> Customer {
        Customer {
            id: "ada".to_owned().try_into().unwrap(),
            email: "ada@example.com".to_owned().try_into().unwrap(),
            email_confirmation,
            name: "Win $500 at http://shop.example".to_owned().try_into().unwrap(),
            version: Version::FIRST,
            created_at: now(),
            updated_at: now(),
        }
    }

    fn confirmed() -> Customer {
        ada(EmailConfirmation::Confirmed { at: now() })
    }

    fn unconfirmed() -> Customer {
        ada(EmailConfirmation::requested(ConfirmationToken::new(Uuid::from_u128(7)), now()))
    }

    fn total() -> Money {
        Money { amount: 3500.try_into().unwrap(), currency: "EUR".to_owned().try_into().unwrap() }
    }

    fn registered() -> DomainEvent {
        DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: confirmed().id })
    }

    fn confirmation_requested() -> DomainEvent {
        DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id: confirmed().id })
    }

    fn paid() -> DomainEvent {
        let order_id = ORDER.parse().unwrap();
        DomainEvent::OrderPaid(OrderPaid { order_id, customer_id: confirmed().id, total: total() })
    }

    fn cancelled() -> DomainEvent {
        let order_id = ORDER.parse().unwrap();
        let reason = Reason::from_lossy("payment was not received in time");
        DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id: confirmed().id, reason, total: total() })
    }

    fn notification(event: &DomainEvent, customer: &Customer) -> Option<Notification> {
        let notification = Notification::for_event(event, customer, now())?;
        assert!(!notification.subject.contains(['\r', '\n']), "the subject must be a single line");
        Some(notification)
    }

    #[test]
    fn an_unconfirmed_address_receives_only_the_token_in_a_fixed_text() {
        for (event, subject) in
            [(registered(), "Welcome to the storefront"), (confirmation_requested(), "Confirm your e-mail address")]
        {
            let sent = notification(&event, &unconfirmed()).unwrap();
            assert_eq!(sent.subject, subject);
            assert!(sent.text.contains("\n\n00000000000000000000000000000007\n\n"), "{}", sent.text);
            assert!(!sent.text.contains("$500"), "{}", sent.text);
        }
        assert_eq!(notification(&paid(), &unconfirmed()), None);
        assert_eq!(notification(&cancelled(), &unconfirmed()), None);
    }

    #[test]
    fn sends_no_confirmation_without_a_valid_token() {
        let from_before_confirmation = ada(EmailConfirmation::Unconfirmed { request: None });
        let tomorrow = now().plus(ConfirmationRequest::LIFETIME);
        for event in [registered(), confirmation_requested()] {
            assert_eq!(notification(&event, &confirmed()), None);
            assert_eq!(notification(&event, &from_before_confirmation), None);
            assert_eq!(Notification::for_event(&event, &unconfirmed(), tomorrow), None);
        }
    }

    #[test]
    fn receipt_names_the_order_and_the_amount() {
        let receipt = notification(&paid(), &confirmed()).unwrap();
        assert!(receipt.subject.contains(ORDER) && receipt.text.contains("35.00 EUR"), "{receipt:?}");
    }

    #[test]
    fn cancellation_names_the_order_the_reason_and_the_amount() {
        let cancellation = notification(&cancelled(), &confirmed()).unwrap();
        assert!(cancellation.subject.contains(ORDER), "{cancellation:?}");
        assert!(cancellation.text.contains("payment was not received in time"), "{cancellation:?}");
        assert!(cancellation.text.contains("35.00 EUR"), "{cancellation:?}");
    }

    #[test]
    fn sends_nothing_for_placed_orders_and_declined_payments() {
        let order_id = ORDER.parse().unwrap();
        let placed = OrderPlaced { order_id, customer_id: confirmed().id, lines: Vec::new(), total: total() };
        let reason = Reason::from_lossy("declined");
        let failed = OrderPaymentFailed { order_id, customer_id: confirmed().id, reason };
        assert_eq!(notification(&DomainEvent::OrderPlaced(placed), &confirmed()), None);
        assert_eq!(notification(&DomainEvent::OrderPaymentFailed(failed), &confirmed()), None);
    }
}
