//! The system clock, random identifiers, and secrets for use outside of tests.

use ferrite_core::Timestamp;
use ferrite_core::ports::{Clock, IdGenerator, SecretGenerator};
use uuid::Uuid;

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// Generates UUIDv7 identifiers (RFC 9562).
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Generates secrets with the random number generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomSecrets;

impl SecretGenerator for RandomSecrets {
    fn new_secret(&self) -> Uuid {
        Uuid::new_v4()
    }
}
