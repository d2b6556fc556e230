//! In-memory implementations of every port, for unit tests of handlers.

mod bus;
mod clock;
#[cfg(feature = "feature-flags")]
mod feature_flags;
mod idempotency;
mod ids;
mod objects;
mod queue;

pub use bus::RecordingBus;
pub use clock::FixedClock;
#[cfg(feature = "feature-flags")]
pub use feature_flags::MemoryFeatureFlags;
pub use idempotency::MemoryIdempotency;
pub use ids::UniqueIds;
pub use objects::MemoryObjects;
pub use queue::RecordingQueue;
