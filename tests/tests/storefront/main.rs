//! The deployed system as its clients see it, over HTTP, from the first request to the paid order.
//!
//! `./scripts/test` deploys the stack and says where it is. Every test makes its own products and customers.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
)]

mod answers;
mod authorization;
mod cancellations;
mod contract;
mod customers;
mod edge;
mod images;
mod logs;
mod mailbox;
mod messages;
mod operations;
mod orders;
mod outages;
mod problems;
mod products;
mod redrive;
mod schedules;

/// A name that no other test has.
fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::new_v4().simple())
}
