//! The bus.

use super::{now, product};
use crate::memory::UniqueIds;
use crate::ports::{NewIds, PublishEvents};
use crate::{CloudEvent, CustomerId, DomainEvent, EventId, OrderId, OrderPaid, Version};

/// A bus whose other end a test can reach.
pub trait BusUnderTest: PublishEvents {
    /// The events about `subject` that a subscriber received, in any order.
    fn received(&self, subject: &str, count: usize) -> impl Future<Output = Vec<CloudEvent>> + Send;
}

/// Tests of a [`BusUnderTest`].
#[macro_export]
macro_rules! bus_contract {
    ($open:expr) => {
        $crate::contract_tests!(
            $crate::contract::bus, $open,
            what_is_published_is_received_as_it_was
            nothing_to_publish_is_no_failure
        );
    };
}

pub async fn what_is_published_is_received_as_it_was(bus: &impl BusUnderTest) {
    let order: OrderId = UniqueIds.new_id().into();
    let paid =
        OrderPaid { order_id: order, customer_id: CustomerId::try_from("ada".to_owned()).unwrap(), total: product(1).price };
    // More than one `PutEvents` takes.
    let events: Vec<CloudEvent> = (1..=12)
        .map(|version| {
            let id = EventId::of_change(&order.to_string(), Version::from(version));
            CloudEvent::new(id, order.to_string(), now(), DomainEvent::OrderPaid(paid.clone()))
        })
        .collect();
    bus.publish(&events).await.unwrap();
    let mut received = bus.received(&order.to_string(), events.len()).await;
    received.sort_by_key(|event| events.iter().position(|published| published.id == event.id));
    assert_eq!(received, events);
}

pub async fn nothing_to_publish_is_no_failure(bus: &impl BusUnderTest) {
    bus.publish(&[]).await.unwrap();
}
