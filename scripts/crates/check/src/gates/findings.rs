//! The findings of a gate.

/// The findings of a gate, one on each line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n  "))]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// An error if there are any.
    pub(crate) fn require_none(lines: Vec<String>) -> Result<(), Self> {
        if lines.is_empty() { Ok(()) } else { Err(Self(lines)) }
    }
}
