//! The AWS adapters pass the contract tests that the in-memory adapters pass.
//!
//! They run against whatever answers at `AWS_ENDPOINT_URL`, which `./scripts/test` sets, with resources of their own.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
)]

mod bus;
mod idempotency;
mod parameters;
mod queue;
