//! Why a value from outside was rejected.

/// What is wrong with a value, as text that follows the field's name: "must not be empty".
///
/// All parsed types share it, so that an HTTP response can list what is wrong with each field at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The most characters that are accepted.
        max: usize,
    },
    /// A character that this kind of text may not contain.
    #[error("must hold only {allowed}")]
    Forbidden {
        /// The characters that are allowed.
        allowed: &'static str,
    },
    /// A number outside its range; both ends are included.
    #[error("must be from {min} to {max}")]
    OutOfRange {
        /// The smallest value accepted.
        min: u64,
        /// The greatest value accepted.
        max: u64,
    },
    /// Not an identifier of this kind.
    #[error("must be an identifier that begins with `{prefix}`")]
    NotAnId {
        /// The prefix of the kind.
        prefix: &'static str,
    },
    /// Not a calendar date.
    #[error("must be a calendar date, such as 2026-11-22")]
    NotADay,
    /// Not a cursor of this listing.
    #[error("must be a `nextCursor` that this listing returned")]
    NotACursor,
    /// Not a member of a closed list.
    #[error("must be one of {allowed}")]
    NotOneOf {
        /// The members, for a person to read.
        allowed: &'static str,
    },
    /// Not of the form that an application's own type requires.
    #[error("must be {expected}")]
    Invalid {
        /// The form, with an example: "an e-mail address, such as ada@example.com".
        expected: &'static str,
    },
    /// The same entry twice in a list of distinct entries.
    #[error("must not repeat an entry")]
    Repeated,
}
