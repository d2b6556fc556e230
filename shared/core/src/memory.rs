//! Every port in memory: what a handler's unit test passes in place of AWS.

mod bus;
mod clock;
mod idempotency;
mod ids;
mod queue;

pub use bus::RecordedEvents;
pub use clock::FixedClock;
pub use idempotency::MemoryIdempotency;
pub use ids::UniqueIds;
pub use queue::RecordedQueue;
