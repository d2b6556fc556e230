//! The clock, the identifiers and the bus of a test.

use std::sync::{LazyLock, Mutex};

use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

use crate::ports::{Clock, NewIds, PublishEvents, StoreError};
use crate::{CloudEvent, Timestamp};

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
