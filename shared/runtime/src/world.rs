//! The clock and the identifiers of the real world.

use ferrite_core::Timestamp;
use ferrite_core::ports::{Clock, NewIds};
use uuid::Uuid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// Random identifiers, UUIDv7 (RFC 9562).
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl NewIds for RandomIds {
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
