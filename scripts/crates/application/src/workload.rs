//! The application-specific part of the benchmark.

use ferrite_local_stack::template::Function;

use crate::events;
use crate::invocation::Invocation;
use crate::items::CALLER;
use crate::responses::{self, AwsCall, AwsResponse};

/// The events with which the benchmark invokes the functions, and the responses of AWS to the calls of the functions.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// ID of the customer in the requests.
    pub caller: &'static str,
    /// Returns the event for a function, or `None` if there is no event for it. The second argument is a token of the
    /// caller.
    pub invocation: fn(&Function, &str) -> Option<Invocation>,
    /// Returns the event for the `floor` baseline, a minimal function.
    pub floor: fn() -> Option<Invocation>,
    /// Returns the event for the `default` baseline, a function built the usual way.
    pub default: fn() -> Option<Invocation>,
    /// Returns the response of AWS to a call, or `None` for a call that no function makes unless it fails. The second
    /// argument is the value of every SSM parameter.
    pub respond: fn(&AwsCall<'_>, &str) -> Option<AwsResponse>,
}

/// The workload of the application.
pub const WORKLOAD: Workload = Workload {
    caller: CALLER,
    invocation: events::invocation,
    floor: events::floor,
    default: events::default,
    respond: responses::response_to,
};
