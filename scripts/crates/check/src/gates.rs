//! Security checks: policies of the templates, dependencies, and secrets in the sources.

pub(crate) mod dependencies;
mod findings;
pub(crate) mod policies;
pub(crate) mod secrets;
