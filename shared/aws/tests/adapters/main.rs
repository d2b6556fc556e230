//! Runs the contract tests on the AWS adapters. The in-memory adapters are tested with the same contract tests.
//!
//! The tests create their own resources in the emulator at `AWS_ENDPOINT_URL`, which `./scripts/test` sets.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but clippy does not treat helper functions as tests"
)]

mod bus;
mod feature_flags;
mod idempotency;
mod parameters;
mod queue;
