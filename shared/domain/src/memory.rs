//! Every port in memory, for tests: what a handler's unit test hands to it in place of AWS.

mod email;
mod files;
mod gateway;
mod idempotency;
mod reports;
mod store;
mod world;

pub use email::MemoryMailer;
pub use files::{MemoryFiles, MemorySigner};
pub use gateway::MemoryGateway;
pub use idempotency::MemoryIdempotency;
pub use reports::MemoryReports;
pub use store::MemoryStore;
pub use world::{FixedClock, RecordedEvents, RecordedQueue, UniqueIds};
