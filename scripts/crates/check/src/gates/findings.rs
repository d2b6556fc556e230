//! What a security reviewer asks first: the template's policies, the dependencies, secrets in the sources. Each is a step of
//! `scripts/test`.

pub mod dependencies;
pub mod policies;
pub mod secrets;

/// What a gate found, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n  "))]
pub struct Findings(Vec<String>);

impl Findings {
    /// Fails when there is anything to tell.
    fn none(lines: Vec<String>) -> Result<(), Self> {
        if lines.is_empty() { Ok(()) } else { Err(Self(lines)) }
    }
}
