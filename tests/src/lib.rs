//! The end-to-end suite and its HTTP client.

pub mod issuer;
