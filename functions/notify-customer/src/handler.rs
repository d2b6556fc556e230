use ferrite_core::ports::{Clock, IdempotencyStore};
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::ports::{GetCustomer, GetEmailFeedback, LimitEmails, SendEmail};
use ferrite_domain::{
    CustomerRegistered, DomainEvent, EmailConfirmationRequested, EmailPurpose, Notification, OrderCancelled, OrderPaid,
};
use ferrite_runtime::Failure;
use ferrite_runtime::log;
use serde_json::json;

use crate::email_deliveries::EmailDeliveries;

/// Sends a customer the e-mail about an event of their account or of one of their orders.
///
/// Sends nothing, and logs the reason, if the customer is not registered, if the address is not confirmed, or if the
/// address has bounced or its owner has complained.
///
/// # Errors
/// Rejects events of a type that causes no e-mail. Returns a retryable failure if the e-mail may not have been sent.
pub(crate) async fn notify_customer(
    customers: &(impl GetCustomer + GetEmailFeedback),
    mailer: &impl SendEmail,
    deliveries: &EmailDeliveries<impl IdempotencyStore, impl LimitEmails, impl Clock>,
    CloudEvent { id, event, .. }: CloudEvent<DomainEvent>,
) -> Result<(), Failure> {
    let (DomainEvent::CustomerRegistered(CustomerRegistered { customer_id })
    | DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id })
    | DomainEvent::OrderPaid(OrderPaid { customer_id, .. })
    | DomainEvent::OrderCancelled(OrderCancelled { customer_id, .. })) = &event
    else {
        return Err(Failure::reject(format!("unexpected event type {}", event.event_type())));
    };
    let Some(customer) = customers.get(customer_id).await? else {
        // Customers can place orders without registering. Their e-mail address is then unknown.
        log::append_to_list("not_registered", json!({ "event_id": id }));
        return Ok(());
    };
    let notification = Notification::for_event(&event, &customer, deliveries.now());
    let Some((notification, purpose)) = notification.zip(EmailPurpose::of_event(&event)) else {
        // The address is not confirmed, or it no longer has to be.
        log::append_to_list("no_email_due", json!({ "event_id": id }));
        return Ok(());
    };
    if let Some(feedback) = customers.feedback(&customer.email).await? {
        log::append_to_list("suppressed", json!({ "event_id": id, "feedback": feedback.kind }));
        return Ok(());
    }
    deliveries.send_once(mailer, &id, &customer.id, customer.email, notification, purpose).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use ferrite_core::{EventId, Reason, TraceContext, Version};
    use ferrite_domain::memory::{MemoryMailer, MemoryStore};
    use ferrite_domain::ports::{PutCustomer, SaveEmailFeedback, SaveResult};
    use ferrite_domain::{Customer, EmailFeedback, FeedbackKind, OrderPlaced, contract};

    use super::*;

    /// The registered customer `ada`, and what notify-customer uses.
    struct Fixture {
        store: MemoryStore,
        ada: Customer,
        mailer: MemoryMailer,
        deliveries: EmailDeliveries<MemoryIdempotency, MemoryStore, FixedClock>,
    }

    impl Fixture {
        async fn new() -> Self {
            let store = MemoryStore::default();
            let ada = contract::customers::register(&store, "ada", "ada@example.com").await;
            let deliveries = EmailDeliveries::new(
                MemoryIdempotency::default(),
                MemoryStore::default(),
                FixedClock(contract::now()),
                Duration::from_secs(300),
                5.try_into().unwrap(),
            );
            Self { store, ada, mailer: MemoryMailer::default(), deliveries }
        }

        async fn notify(&self, event: CloudEvent<DomainEvent>) -> Result<(), Failure> {
            notify_customer(&self.store, &self.mailer, &self.deliveries, event).await
        }

        /// Recipient and subject of each e-mail.
        fn sent(&self) -> Vec<(String, String)> {
            let sent = self.mailer.sent().into_iter();
            sent.map(|mail| (mail.to.expose().to_owned(), mail.notification.subject)).collect()
        }
    }

    fn cloud_event(number: u32, event: DomainEvent) -> CloudEvent<DomainEvent> {
        let id = EventId::of_change(&format!("x{number}"), Version::FIRST);
        CloudEvent::new(id, "x".to_owned(), contract::now(), event)
    }

    fn registration(customer: &str) -> CloudEvent<DomainEvent> {
        let customer_id = customer.to_owned().try_into().unwrap();
        cloud_event(0, DomainEvent::CustomerRegistered(CustomerRegistered { customer_id }))
    }

    fn confirmation_request(number: u32) -> CloudEvent<DomainEvent> {
        let customer_id = "ada".to_owned().try_into().unwrap();
        cloud_event(number, DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id }))
    }

    fn cancellation(number: u32) -> CloudEvent<DomainEvent> {
        let cancelled = OrderCancelled {
            order_id: "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap(),
            customer_id: "ada".to_owned().try_into().unwrap(),
            reason: Reason::from_lossy("cancelled by the customer"),
            total: contract::product(1).price,
        };
        cloud_event(number, DomainEvent::OrderCancelled(cancelled))
    }

    #[tokio::test]
    async fn sends_one_email_to_the_registered_address() {
        let fixture = Fixture::new().await;
        for _ in 0..2 {
            fixture.notify(registration("ada")).await.unwrap();
        }
        assert_eq!(fixture.sent(), [("ada@example.com".to_owned(), "Welcome to the storefront".to_owned())]);
    }

    #[tokio::test]
    async fn sends_no_email_to_an_unregistered_customer() {
        let fixture = Fixture::new().await;
        fixture.notify(registration("bob")).await.unwrap();
        assert_eq!(fixture.sent(), []);
    }

    #[tokio::test]
    async fn emails_about_orders_only_to_a_confirmed_address() {
        let fixture = Fixture::new().await;
        fixture.notify(cancellation(1)).await.unwrap();
        assert_eq!(fixture.sent(), []);
        contract::customers::confirm(&fixture.store, &fixture.ada).await;
        fixture.notify(cancellation(2)).await.unwrap();
        assert_eq!(fixture.sent().len(), 1);
        fixture.notify(confirmation_request(3)).await.unwrap();
        assert_eq!(fixture.sent().len(), 1, "the address is confirmed already");
    }

    #[tokio::test]
    async fn sends_no_email_after_a_bounce_or_a_complaint() {
        for kind in [FeedbackKind::Bounce, FeedbackKind::Complaint] {
            let fixture = Fixture::new().await;
            let feedback = EmailFeedback { kind, reported_at: contract::now() };
            fixture.store.save_feedback(&fixture.ada.email, feedback).await.unwrap();
            fixture.notify(registration("ada")).await.unwrap();
            contract::customers::confirm(&fixture.store, &fixture.ada).await;
            fixture.notify(cancellation(1)).await.unwrap();
            assert_eq!(fixture.sent(), []);
        }
    }

    #[tokio::test]
    async fn limits_the_emails_to_a_mailbox() {
        let fixture = Fixture::new().await;
        for number in 1..=5 {
            fixture.notify(confirmation_request(number)).await.unwrap();
        }
        assert_eq!(fixture.sent().len(), 3, "confirmation e-mails");
        contract::customers::confirm(&fixture.store, &fixture.ada).await;
        for number in 10..=15 {
            fixture.notify(cancellation(number)).await.unwrap();
            fixture.notify(cancellation(number)).await.unwrap();
        }
        assert_eq!(fixture.sent().len(), 5);
    }

    #[tokio::test]
    async fn limits_the_addresses_that_a_customer_can_cause_an_email_to() {
        let fixture = Fixture::new().await;
        let mut customer = fixture.ada.clone();
        for number in 1..=7 {
            customer.email = format!("stranger-{number}@example.com").try_into().unwrap();
            customer.version = customer.version.next();
            assert_eq!(fixture.store.put(&customer, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
            fixture.notify(confirmation_request(number)).await.unwrap();
        }
        assert_eq!(fixture.sent().len(), 5);
    }

    #[tokio::test]
    async fn rejects_events_without_a_notification() {
        let order = OrderPlaced {
            order_id: "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap(),
            customer_id: "ada".to_owned().try_into().unwrap(),
            lines: Vec::new(),
            total: contract::product(1).price,
        };
        let result = Fixture::new().await.notify(cloud_event(0, DomainEvent::OrderPlaced(order))).await;
        assert!(matches!(result, Err(Failure::Reject(_))), "{result:?}");
    }
}
