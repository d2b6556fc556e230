//! Builds the workspace's test binaries and runs them where they can run: what `./scripts/test` and `./scripts/permissions`
//! share.

pub mod binaries;
pub mod counts;
pub mod places;
pub mod stack;
pub mod variables;
