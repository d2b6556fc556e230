//! In-memory implementations of every port, for unit tests of handlers.

mod bus;
mod clock;
mod idempotency;
mod ids;
mod queue;

pub use bus::RecordingBus;
pub use clock::FixedClock;
pub use idempotency::MemoryIdempotency;
pub use ids::UniqueIds;
pub use queue::RecordingQueue;
