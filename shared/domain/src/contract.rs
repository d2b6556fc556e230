//! What every implementation of a port must do, in memory and on AWS alike.
//!
//! Each module has one suite, and a macro that turns it into tests of the implementation that it is given:
//!
//! ```text
//! ferrite_domain::order_store_contract!(MemoryStore::default());
//! ```
//!
//! The tests make their own identifiers, so that they can share a table.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "assertions for tests; their names say what they check")]

pub mod customers;
pub mod email;
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
