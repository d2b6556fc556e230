//! What the scripts need to know about the example storefront. A fork replaces this crate by one for its own application.
//!
//! [`demo`] is the data that `./scripts/dev` loads into an empty stack. [`workload::STOREFRONT`] is what `./scripts/bench`
//! invokes the functions with, and what AWS answers them meanwhile.

mod answers;
pub mod demo;
mod events;
mod invocation;
mod items;
pub mod scopes;
pub mod workload;

pub use self::answers::{AwsCall, AwsResponse};
pub use self::invocation::Invocation;
