//! End-to-end tests of what every application shares: the settings of the API, and the behavior of the kit's functions
//! and libraries on deployed functions. The functions are in src/bin.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod authorization;
mod http_policies;
mod logs;
mod messages;
mod outages;
mod problems;
mod redrive;
mod stack;
