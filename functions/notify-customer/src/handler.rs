use ferrite_core::ports::{Clock, IdempotencyStore};
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::ports::{GetCustomer, SendEmail};
use ferrite_domain::{CustomerRegistered, DomainEvent, Notification, OrderCancelled, OrderPaid};
use ferrite_runtime::Failure;
use ferrite_runtime::log;
use serde_json::json;

use crate::email_deliveries::EmailDeliveries;

/// E-mails a customer what happened to them.
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
        return Err(Failure::reject(format!("{} is not what this queue is for", event.event_type())));
    };
    let Some(customer) = customers.get(customer_id).await? else {
        // One may order without having registered, and then there is nowhere to write to.
        log::append_to_list("not_registered", json!({ "event_id": id }));
        return Ok(());
    };
    let Some(notification) = Notification::of(&event, &customer) else { return Ok(()) };
    deliveries.send_once(mailer, &id, customer.email, notification).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use ferrite_core::{EventId, TraceContext, Version};
    use ferrite_domain::memory::{MemoryMailer, MemoryStore};
    use ferrite_domain::ports::PutCustomer;
    use ferrite_domain::{Customer, OrderPlaced, contract};

    use super::*;

    async fn registered() -> MemoryStore {
        let store = MemoryStore::default();
        let customer = Customer {
            id: "ada".to_owned().try_into().unwrap(),
            email: "ada@example.com".to_owned().try_into().unwrap(),
            name: "Ada".to_owned().try_into().unwrap(),
            version: Version::FIRST,
            created_at: contract::now(),
            updated_at: contract::now(),
        };
        assert!(store.put(&customer, &TraceContext::default()).await.unwrap());
        store
    }

    fn told(event: DomainEvent) -> CloudEvent<DomainEvent> {
        CloudEvent::new(EventId::of_change("x", Version::FIRST), "x".to_owned(), contract::now(), event)
    }

    fn registration(customer: &str) -> CloudEvent<DomainEvent> {
        told(DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer.to_owned().try_into().unwrap() }))
    }

    fn deliveries() -> EmailDeliveries<MemoryIdempotency, FixedClock> {
        EmailDeliveries::new(MemoryIdempotency::default(), FixedClock(contract::now()), Duration::from_secs(300))
    }

    #[tokio::test]
    async fn a_customer_is_written_to_once_at_the_address_they_gave() {
        let (store, mailer, deliveries) = (registered().await, MemoryMailer::default(), deliveries());
        for _ in 0..2 {
            notify_customer(&store, &mailer, &deliveries, registration("ada")).await.unwrap();
        }
        let sent: Vec<_> =
            mailer.sent().into_iter().map(|mail| (mail.to.expose().to_owned(), mail.notification.subject)).collect();
        assert_eq!(sent, [("ada@example.com".to_owned(), "Welcome to the storefront".to_owned())]);
    }

    #[tokio::test]
    async fn who_never_registered_is_not_written_to() {
        let (store, mailer) = (registered().await, MemoryMailer::default());
        notify_customer(&store, &mailer, &deliveries(), registration("bob")).await.unwrap();
        assert!(mailer.sent().is_empty());
    }

    #[tokio::test]
    async fn what_nobody_is_written_about_is_rejected() {
        let order = OrderPlaced {
            order_id: "ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap(),
            customer_id: "ada".to_owned().try_into().unwrap(),
            lines: Vec::new(),
            total: contract::product(1).price,
        };
        let event = told(DomainEvent::OrderPlaced(order));
        let refused = notify_customer(&registered().await, &MemoryMailer::default(), &deliveries(), event).await;
        assert!(matches!(refused, Err(Failure::Reject(_))));
    }
}
