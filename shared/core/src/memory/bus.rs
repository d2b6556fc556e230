//! In-memory event bus.

use std::sync::Mutex;

use crate::ports::{PortError, PublishEvents};
use crate::{CloudEvent, Event};

/// Event bus that records published events in order.
#[derive(Debug)]
pub struct RecordingBus<E>(Mutex<Vec<CloudEvent<E>>>);

impl<E> Default for RecordingBus<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E: Clone> RecordingBus<E> {
    /// Returns the published events in order.
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    pub fn all(&self) -> Vec<CloudEvent<E>> {
        self.0.lock().unwrap().clone()
    }
}

impl<E: Event + Clone> PublishEvents<E> for RecordingBus<E> {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    async fn publish(&self, events: &[CloudEvent<E>]) -> Result<(), PortError> {
        self.0.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}
