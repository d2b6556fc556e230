//! The end-to-end suite and its HTTP client.

pub mod api;
pub mod aws;
pub mod issuer;
pub mod made;
#[cfg(test)]
mod manifests;
pub mod poll;
pub mod signer;
