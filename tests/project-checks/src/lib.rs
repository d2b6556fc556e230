//! Rules for the templates and manifests of a project. They name no resource: each rule applies to every resource of a
//! type, so new resources are checked as well.
//!
//! Each check returns one sentence per violation, which names the resource and says what to change. tests/project.rs
//! runs all checks on this checkout. The unit tests run them on short templates.

pub mod alarms;
pub mod features;
pub mod gateway;
pub mod openapi;
pub mod partition;
pub mod queues;
pub mod roles;
pub mod storage;
pub mod throttling;

pub mod functions;
mod reference;
mod tls;

#[cfg(test)]
mod fixture;
