//! End-to-end tests of the deployed stack: HTTP requests, queue messages and schedules, as clients and AWS send them.
//!
//! `./scripts/test` deploys the stack and sets the environment variables that these tests need. Each test creates its
//! own products and customers.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod api_document;
mod authorization;
mod cancellations;
mod customers;
mod email_confirmation;
mod generated_client;
mod images;
mod logs;
mod messages;
mod operations;
mod orders;
mod outages;
mod problems;
mod products;
mod responses;
mod schedules;
