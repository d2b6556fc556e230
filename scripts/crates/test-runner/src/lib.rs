//! Builds and runs the test binaries of the workspace, for `./scripts/test` and `./scripts/permissions`.

pub mod binaries;
pub mod counts;
pub mod places;
pub mod stack;
pub mod variables;
