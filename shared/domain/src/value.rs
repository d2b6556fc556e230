//! Why a value from outside was refused.

/// What is wrong with a value, as a sentence that completes "this field …".
///
/// One type for every newtype here, so that the edge can list what is wrong with each field in one answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than the limit, in characters.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The most characters that are accepted.
        max: usize,
    },
    /// A character that no text of this kind may hold.
    #[error("must hold only {allowed}")]
    Forbidden {
        /// What may stand there.
        allowed: &'static str,
    },
    /// A number outside its range, both ends included.
    #[error("must be from {min} to {max}")]
    OutOfRange {
        /// The least value accepted.
        min: u64,
        /// The greatest value accepted.
        max: u64,
    },
    /// Not an identifier of this kind.
    #[error("must be an identifier that begins with `{prefix}`")]
    NotAnId {
        /// The prefix that tells the kind.
        prefix: &'static str,
    },
    /// Not a code of ISO 4217.
    #[error("must be a currency code of ISO 4217, such as EUR")]
    NotACurrency,
    /// Not an address of an e-mail account.
    #[error("must be an e-mail address, such as ada@example.com")]
    NotAnEmailAddress,
    /// Not a date of the calendar.
    #[error("must be a calendar date, such as 2026-11-22")]
    NotADay,
    /// Not a cursor that this listing handed out.
    #[error("must be a `nextCursor` that this listing returned")]
    NotACursor,
    /// Not a member of a closed list.
    #[error("must be one of {allowed}")]
    NotOneOf {
        /// The members, for a person to read.
        allowed: &'static str,
    },
    /// The same thing twice in a list that holds each once.
    #[error("must not repeat an entry")]
    Repeated,
}
