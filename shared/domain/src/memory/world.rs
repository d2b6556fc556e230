//! The clock, the identifiers and the bus of a test.

use std::sync::{LazyLock, Mutex};

use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

use crate::contract::bus::BusUnderTest;
use crate::contract::queue::WorkQueueUnderTest;
use crate::ports::{Clock, NewIds, PublishEvents, StoreError, WorkQueue};
use crate::{CloudEvent, Reason, Timestamp};

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Identifiers that differ from each other, and from those of any other test on the same table, and sort as they were drawn.
#[derive(Debug, Default, Clone, Copy)]
pub struct UniqueIds;

impl NewIds for UniqueIds {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn new_id(&self) -> Uuid {
        static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));
        Uuid::new_v7(UuidTimestamp::now(&*CONTEXT.lock().unwrap()))
    }
}

/// A bus that keeps what was published.
#[derive(Debug, Default)]
pub struct RecordedEvents(Mutex<Vec<CloudEvent>>);

impl RecordedEvents {
    /// What was published, in its order.
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    pub fn all(&self) -> Vec<CloudEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl PublishEvents for RecordedEvents {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    async fn publish(&self, events: &[CloudEvent]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}

/// A queue that keeps what was done with its messages.
#[derive(Debug, Default)]
pub struct RecordedQueue {
    rejected: Mutex<Vec<(String, String)>>,
    delayed: Mutex<Vec<(String, u32)>>,
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl RecordedQueue {
    /// The bodies that were rejected, each with its reason.
    pub fn rejected(&self) -> Vec<(String, String)> {
        self.rejected.lock().unwrap().clone()
    }

    /// The receipt handles whose messages were delayed, each with its seconds.
    pub fn delayed(&self) -> Vec<(String, u32)> {
        self.delayed.lock().unwrap().clone()
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl WorkQueue for RecordedQueue {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), StoreError> {
        self.rejected.lock().unwrap().push((body.to_owned(), Reason::from_lossy(reason).to_string()));
        Ok(())
    }

    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), StoreError> {
        self.delayed.lock().unwrap().push((receipt_handle.to_owned(), seconds));
        Ok(())
    }
}

impl BusUnderTest for RecordedEvents {
    async fn received(&self, subject: &str, _: usize) -> Vec<CloudEvent> {
        self.all().into_iter().filter(|event| event.subject == subject).collect()
    }
}

impl WorkQueueUnderTest for RecordedQueue {
    async fn send_and_receive(&self, body: &str) -> String {
        body.to_owned()
    }

    async fn can_be_received(&self, body: &str) -> bool {
        self.delayed().iter().all(|(receipt_handle, seconds)| receipt_handle != body || *seconds == 0)
    }

    async fn reason_of(&self, body: &str) -> Option<String> {
        self.rejected().into_iter().find(|(rejected, _)| rejected == body).map(|(_, reason)| reason)
    }
}
