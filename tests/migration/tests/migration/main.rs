//! Deploys a small stack with `LegacyOrigin`, in front of a legacy backend that runs in this process.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod legacy_backend;
mod legacy_origin;
mod stack;
