//! A proxy between an emulator's functions and the emulator that they take for AWS.
//!
//! The emulator listens on one port, and gives its functions the port of the [`proxy::Proxy`] in `AWS_ENDPOINT_URL`. The
//! proxy identifies each call ([`call`]) and its function ([`functions`]), and records which IAM actions on which resources
//! the call uses ([`record`], [`iam_actions`]). An [`proxy::Interceptor`] may do something else with a call than to forward
//! it: `tests/chaos` injects faults that way.
//!
//! [`recorder::Recorder`] is the proxy on a runtime of its own, for programs that only want the record.

pub mod call;
pub mod functions;
pub mod iam_actions;
pub mod proxy;
pub mod record;
pub mod recorder;
pub mod upstream;
