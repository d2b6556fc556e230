//! In-memory implementations of all storefront ports, for unit tests of handlers.

mod email;
mod files;
mod gateway;
mod reports;
mod store;

pub use email::MemoryMailer;
pub use files::{MemoryFiles, MemorySigner};
pub use gateway::MemoryGateway;
pub use reports::MemoryReports;
pub use store::MemoryStore;
