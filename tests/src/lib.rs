//! The HTTP client and helpers of the storefront's end-to-end tests, and tests of its template and manifests.

pub mod api;
pub mod aws;
pub mod created;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod operations;
pub mod poll;
#[cfg(test)]
mod posture;
