//! The result of a check.

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nothing to do.
    Good(String),
    /// The deployment may succeed, but the user should know.
    Warning(String),
    /// The deployment would fail. The text contains the fix.
    Error(String),
    /// The check does not apply.
    Skipped(String),
}
