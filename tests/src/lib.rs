//! The end-to-end suite and its HTTP client.

pub mod api;
pub mod aws;
pub mod function_keys;
pub mod issuer;
pub mod made;
#[cfg(test)]
mod manifests;
pub mod poll;
#[cfg(test)]
mod posture;
pub mod signer;
