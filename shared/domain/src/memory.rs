//! Every port of the storefront in memory: what a handler's unit test passes in place of AWS.

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
