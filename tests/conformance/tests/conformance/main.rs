//! Tests that a Rust function and a Python function on Powertools for AWS Lambda are interchangeable: they share
//! idempotency records, write equivalent log lines and metrics, and evaluate feature flags in the same way.
//!
//! The tests create their own tables at `AWS_ENDPOINT_URL` and run the Python interpreter in
//! `FERRITE_CONFORMANCE_PYTHON`. `./scripts/test` sets both variables.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod feature_flags;
mod function;
mod idempotency;
mod log;
mod metrics;
mod payload;
mod record;
mod runtime_api;
