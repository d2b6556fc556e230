//! Checks of the policies of the templates, the workflows, the dependencies, and secrets in the sources.

pub(crate) mod dependencies;
mod findings;
pub(crate) mod policies;
pub(crate) mod secrets;
pub(crate) mod unused_dependencies;
pub(crate) mod workflows;
