//! Requests of the storefront's end-to-end tests, and tests of its template and manifests.

#[cfg(test)]
mod manifests;
pub mod storefront;
