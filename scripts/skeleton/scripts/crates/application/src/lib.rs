//! The parts of the scripts that depend on the application: the data that `./scripts/dev` loads into a new stack, and the
//! scopes of the tokens that `./scripts/token` issues.

pub mod demo;
pub mod scopes;
