//! The parts of the scripts that depend on the example storefront. A fork replaces this crate with one for its own
//! application.
//!
//! [`demo`] contains the data that `./scripts/dev` loads into an empty stack. [`workload::WORKLOAD`] contains the
//! events with which `./scripts/bench` invokes the functions, and the responses of AWS to the calls of the functions.

pub mod demo;
mod events;
mod invocation;
mod items;
mod responses;
pub mod scopes;
pub mod workload;

pub use self::invocation::Invocation;
pub use self::responses::{AwsCall, AwsResponse};
