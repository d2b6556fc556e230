//! Compares the permissions of the functions' roles with the permissions that the functions use.
//!
//! While `./scripts/test` runs the end-to-end tests, the functions call AWS through the proxy of `ferrite-aws-proxy`,
//! which records the permissions that they use. [`report`] compares the record with the deployed roles ([`roles`],
//! [`comparison`]). A test of this crate checks that the roles in template.yaml have no wildcards.

pub mod comparison;
pub mod report;
pub mod roles;
