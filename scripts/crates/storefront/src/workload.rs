//! What the benchmark needs to know about the application.

use ferrite_local_stack::template::Function;

use crate::answers::{self, AwsCall, AwsResponse};
use crate::events;
use crate::invocation::Invocation;
use crate::items::CALLER;

/// The calls of the benchmark to the functions, and the responses of AWS to the functions.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// The customer that calls.
    pub caller: &'static str,
    /// What a function is invoked with; `None` when there is no event for it. The second argument is a token of the caller.
    pub invocation: fn(&Function, &str) -> Option<Invocation>,
    /// What the yardstick that does nothing is invoked with.
    pub floor: fn() -> Option<Invocation>,
    /// What the yardstick that does what a function does is invoked with.
    pub default: fn() -> Option<Invocation>,
    /// What AWS answers to a call; `None` for a call that no function makes while everything succeeds. The second argument is
    /// the value of every parameter.
    pub answer: fn(&AwsCall<'_>, &str) -> Option<AwsResponse>,
}

/// The storefront's.
pub const STOREFRONT: Workload = Workload {
    caller: CALLER,
    invocation: events::invocation,
    floor: events::floor,
    default: events::default,
    answer: answers::answer,
};
