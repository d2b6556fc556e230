use ferrite_core::ports::{Clock, IdempotencyStore};
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::ports::{GetCustomer, SendEmail};
use ferrite_domain::{CustomerRegistered, DomainEvent, Notification, OrderCancelled, OrderPaid};
use ferrite_runtime::Failure;
use ferrite_runtime::log;
use serde_json::json;

use crate::email_deliveries::EmailDeliveries;

/// Sends a customer the e-mail about an event of their account or of one of their orders, if they are registered.
///
/// # Errors
/// Rejects events of a type that causes no e-mail. Returns a retryable failure if the e-mail may not have been sent.
pub(crate) async fn notify_customer(
    customers: &impl GetCustomer,
    mailer: &impl SendEmail,
    deliveries: &EmailDeliveries<impl IdempotencyStore, impl Clock>,
    CloudEvent { id, event, .. }: CloudEvent<DomainEvent>,
) -> Result<(), Failure> {
    let (DomainEvent::CustomerRegistered(CustomerRegistered { customer_id })
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
    let Some(notification) = Notification::for_event(&event, &customer) else { return Ok(()) };
    deliveries.send_once(mailer, &id, customer.email, notification).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use ferrite_core::{EventId, TraceContext, Version};
    use ferrite_domain::memory::{MemoryMailer, MemoryStore};
    use ferrite_domain::ports::{PutCustomer, SaveResult};
    use ferrite_domain::{Customer, OrderPlaced, contract};

    use super::*;

    /// A store with the registered customer `ada`.
    async fn store_with_customer() -> MemoryStore {
        let store = MemoryStore::default();
        let customer = Customer {
            id: "ada".to_owned().try_into().unwrap(),
            email: "ada@example.com".to_owned().try_into().unwrap(),
            name: "Ada".to_owned().try_into().unwrap(),
            version: Version::FIRST,
            created_at: contract::now(),
            updated_at: contract::now(),
        };
        assert_eq!(store.put(&customer, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
        store
    }

    fn cloud_event(event: DomainEvent) -> CloudEvent<DomainEvent> {
        CloudEvent::new(EventId::of_change("x", Version::FIRST), "x".to_owned(), contract::now(), event)
    }

    fn registration(customer: &str) -> CloudEvent<DomainEvent> {
        cloud_event(DomainEvent::CustomerRegistered(CustomerRegistered {
            customer_id: customer.to_owned().try_into().unwrap(),
        }))
    }

    fn deliveries() -> EmailDeliveries<MemoryIdempotency, FixedClock> {
        EmailDeliveries::new(MemoryIdempotency::default(), FixedClock(contract::now()), Duration::from_secs(300))
    }

    #[tokio::test]
    async fn sends_one_email_to_the_registered_address() {
        let store = store_with_customer().await;
        let mailer = MemoryMailer::default();
        let deliveries = deliveries();
        for _ in 0..2 {
            notify_customer(&store, &mailer, &deliveries, registration("ada")).await.unwrap();
        }
        let sent: Vec<_> =
            mailer.sent().into_iter().map(|mail| (mail.to.expose().to_owned(), mail.notification.subject)).collect();
        assert_eq!(sent, [("ada@example.com".to_owned(), "Welcome to the storefront".to_owned())]);
    }

    #[tokio::test]
    async fn sends_no_email_to_an_unregistered_customer() {
        let store = store_with_customer().await;
        let mailer = MemoryMailer::default();
        notify_customer(&store, &mailer, &deliveries(), registration("bob")).await.unwrap();
        assert!(mailer.sent().is_empty());
    }

    #[tokio::test]
    async fn rejects_events_without_a_notification() {
        let order = OrderPlaced {
            order_id: "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap(),
            customer_id: "ada".to_owned().try_into().unwrap(),
            lines: Vec::new(),
            total: contract::product(1).price,
        };
        let event = cloud_event(DomainEvent::OrderPlaced(order));
        let store = store_with_customer().await;
        let result = notify_customer(&store, &MemoryMailer::default(), &deliveries(), event).await;
        assert!(matches!(result, Err(Failure::Reject(_))), "{result:?}");
    }
}
