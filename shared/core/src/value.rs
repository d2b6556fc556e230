//! Validation errors of values from external input.

/// Validation error of a value. The text follows the name of the field: "must not be empty".
///
/// All validated types share this error type, so an HTTP response can report the errors of all fields at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is empty or contains only whitespace.
    #[error("must not be empty")]
    Empty,
    /// The text has more characters than allowed.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// Maximum number of characters.
        max: usize,
    },
    /// The text contains a character that is not allowed.
    #[error("must contain only {allowed}")]
    Forbidden {
        /// Description of the allowed characters.
        allowed: &'static str,
    },
    /// The number is outside the allowed range.
    #[error("must be between {min} and {max}")]
    OutOfRange {
        /// Smallest allowed value.
        min: u64,
        /// Largest allowed value.
        max: u64,
    },
    /// The text is not an identifier of the expected type.
    #[error("must be an identifier that starts with `{prefix}`")]
    NotAnId {
        /// Prefix of the identifier type.
        prefix: &'static str,
    },
    /// The text is not a calendar date.
    #[error("must be a calendar date, such as 2026-11-22")]
    NotADay,
    /// The text is not a cursor of this listing.
    #[error("must be a `nextCursor` that this listing returned")]
    NotACursor,
    /// The value is not one of the allowed values.
    #[error("must be one of {allowed}")]
    NotOneOf {
        /// Allowed values, formatted for the error message.
        allowed: &'static str,
    },
    /// The value does not have the form that an application-defined type requires.
    #[error("must be {expected}")]
    Invalid {
        /// Description of the form with an example: "an e-mail address, such as ada@example.com".
        expected: &'static str,
    },
    /// A list of distinct entries contains an entry more than once.
    #[error("must not contain duplicates")]
    Repeated,
}
