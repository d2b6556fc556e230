//! The end-to-end suite of the storefront and its HTTP client.

pub mod api;
pub mod aws;
pub mod made;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod operations;
pub mod poll;
#[cfg(test)]
mod posture;
