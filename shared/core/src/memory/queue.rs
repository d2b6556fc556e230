//! In-memory queue and dead-letter queue.

use std::sync::Mutex;

use crate::Reason;
use crate::contract::queue::QueueUnderTest;
use crate::ports::{DeadLetterQueue, MessageVisibility, PortError};

/// Queue and dead-letter queue that record the calls made to them.
#[derive(Debug, Default)]
pub struct RecordingQueue {
    rejected: Mutex<Vec<(String, String)>>,
    delayed: Mutex<Vec<(String, u32)>>,
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl RecordingQueue {
    /// Returns the message bodies in the dead-letter queue, each with its reason.
    pub fn rejected(&self) -> Vec<(String, String)> {
        self.rejected.lock().unwrap().clone()
    }

    /// Returns the receipt handles of delayed messages, each with its delay in seconds.
    pub fn delayed(&self) -> Vec<(String, u32)> {
        self.delayed.lock().unwrap().clone()
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl DeadLetterQueue for RecordingQueue {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), PortError> {
        self.rejected.lock().unwrap().push((body.to_owned(), Reason::from_lossy(reason).to_string()));
        Ok(())
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl MessageVisibility for RecordingQueue {
    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), PortError> {
        self.delayed.lock().unwrap().push((receipt_handle.to_owned(), seconds));
        Ok(())
    }
}

impl QueueUnderTest for RecordingQueue {
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
