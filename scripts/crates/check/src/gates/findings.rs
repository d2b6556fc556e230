//! The findings of a check.

/// The findings of a check, one per line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n  "))]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Returns an error if there are findings.
    pub(crate) fn require_none(lines: Vec<String>) -> Result<(), Self> {
        if lines.is_empty() { Ok(()) } else { Err(Self(lines)) }
    }
}
