//! Contract of an event bus.

use serde::{Deserialize, Serialize};

use super::now;
use crate::memory::{RecordingBus, UniqueIds};
use crate::ports::{IdGenerator, PublishEvents};
use crate::{CloudEvent, Event, EventId, Version};

/// Events that the tests publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum TestEvent {
    #[serde(rename = "ferrite.test.happened.v1")]
    Happened { note: String },
}

impl Event for TestEvent {
    const SOURCE: &'static str = "ferrite.test";

    fn event_type(&self) -> &'static str {
        match self {
            Self::Happened { .. } => "ferrite.test.happened.v1",
        }
    }
}

/// A bus from which a test can read the delivered events.
pub trait BusUnderTest: PublishEvents<TestEvent> {
    /// Waits until a subscriber has received `count` events about `subject`, and returns them in any order.
    fn received(&self, subject: &str, count: usize) -> impl Future<Output = Vec<CloudEvent<TestEvent>>> + Send;
}

impl BusUnderTest for RecordingBus<TestEvent> {
    async fn received(&self, subject: &str, _: usize) -> Vec<CloudEvent<TestEvent>> {
        self.all().into_iter().filter(|event| event.subject == subject).collect()
    }
}

/// Generates the contract tests of a [`BusUnderTest`].
#[macro_export]
macro_rules! bus_contract {
    ($adapter:expr) => {
        $crate::contract_tests!(
            $crate::contract::bus, $adapter,
            delivers_events_unchanged
            accepts_an_empty_list_of_events
        );
    };
}

pub async fn delivers_events_unchanged(bus: &impl BusUnderTest) {
    let subject = UniqueIds.new_id().to_string();
    // One `PutEvents` call accepts at most 10 events.
    let events: Vec<CloudEvent<TestEvent>> = (1..=12)
        .map(|version| {
            let id = EventId::of_change(&subject, Version::from(version));
            CloudEvent::new(id, subject.clone(), now(), TestEvent::Happened { note: "a \"note\"".to_owned() })
        })
        .collect();
    bus.publish(&events).await.unwrap();
    let mut received = bus.received(&subject, events.len()).await;
    received.sort_by_key(|event| events.iter().position(|published| published.id == event.id));
    assert_eq!(received, events);
}

pub async fn accepts_an_empty_list_of_events(bus: &impl BusUnderTest) {
    bus.publish(&[]).await.unwrap();
}
