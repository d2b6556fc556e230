//! Contract tests for the ports. Every implementation must pass them, in memory and on AWS.
//!
//! Each module contains one test suite and a macro that generates its tests for an implementation:
//!
//! ```text
//! ferrite_domain::order_store_contract!(MemoryStore::default());
//! ```
//!
//! Each test creates its own identifiers, so all tests can share one table.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code; the names of the tests describe them")]

pub mod customers;
pub mod email;
pub mod email_feedback;
pub mod email_limits;
pub mod files;
pub mod gateway;
pub mod links;
pub mod order_listings;
pub mod orders;
pub mod products;
pub mod reports;
mod sample;

pub use ferrite_core::contract::now;
pub use sample::{image, product};
