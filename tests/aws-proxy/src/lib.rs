//! A proxy between Lambda functions and the emulator that stands in for AWS.
//!
//! The emulator listens on one port. It sets `AWS_ENDPOINT_URL` of its functions to the port of the [`proxy::Proxy`].
//! The proxy identifies each call ([`call`]) and the function that sent it ([`functions`]), and records the IAM actions
//! and resources that the call uses ([`record`], [`iam_actions`]). A [`proxy::Interceptor`] can do something other than
//! forward a call. `tests/chaos` uses an interceptor to inject faults.
//!
//! [`recorder::Recorder`] runs the proxy on a runtime of its own, for programs that need only the record.

pub mod call;
pub mod functions;
pub mod iam_actions;
pub mod proxy;
pub mod record;
pub mod recorder;
pub mod upstream;
