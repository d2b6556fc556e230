//! A function in Rust and a function in Python, on Powertools for AWS Lambda, can take each other's place: they share
//! idempotency records, and their log lines and metrics are the same to whoever reads them.
//!
//! Against whatever answers at `AWS_ENDPOINT_URL`, in a table of their own, with the interpreter that
//! `FERRITE_CONFORMANCE_PYTHON` names: `./scripts/test` sets both.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
)]

mod asked;
mod function;
mod idempotency;
mod log;
mod metrics;
mod record;
mod runtime_api;
