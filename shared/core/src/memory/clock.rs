//! Fixed clock for tests.

use crate::Timestamp;
use crate::ports::Clock;

/// Clock that always returns the same time.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
