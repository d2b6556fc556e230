//! Why a storm could not be carried through. What the storm finds is no error: see [`super::Report`].

/// Why a storm could not be carried through.
#[derive(Debug, thiserror::Error)]
pub enum StormError {
    /// The emulator did not answer.
    #[error("the emulator did not answer {what}: {reason}")]
    NoAnswer {
        /// What it was asked.
        what: String,
        /// What the client said.
        reason: String,
    },
    /// The emulator or the API refused something that the storm cannot do without.
    #[error("{what} was refused with status {status}: {body}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the answer said.
        body: String,
    },
    /// A request to the emulator could not be made.
    #[error("a request cannot be made: {0}")]
    Request(#[from] http::Error),
    /// A request to the emulator could not be signed.
    #[error("a request cannot be signed: {0}")]
    Sign(#[from] ferrite_tests::signer::SignError),
    /// The stack lacks something that the storm needs.
    #[error("the stack has no {0}")]
    NotInStack(String),
    /// A token could not be minted.
    #[error(transparent)]
    Token(#[from] ferrite_tests::issuer::IssuerError),
    /// Whoever started the storm wants it to end.
    #[error("interrupted")]
    Interrupted,
}
