//! Compares what the functions' roles allow with what the functions use.
//!
//! While `./scripts/test` runs the end-to-end tests, the functions' calls go through the proxy of `ferrite-aws-proxy`, which
//! records the permissions that they use. [`report`] compares the record with the deployed roles ([`roles`], [`comparison`]).
//! A test of this crate checks that template.yaml names every action and resource.

pub mod comparison;
pub mod report;
pub mod roles;
