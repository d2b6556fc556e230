//! The error type of chaos runs. Violations of invariants are not errors; see [`crate::report::Report`].

use ferrite_aws_client::error::AwsError;

/// An error that prevents a chaos run from completing.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// A call to the emulator failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The API did not respond.
    #[error("the API did not respond to {request}: {reason}")]
    NoResponse {
        /// The request.
        request: String,
        /// The error of the HTTP client.
        reason: String,
    },
    /// The API rejected a request that the run requires.
    #[error("{request} was rejected with status {status}: {body}")]
    Rejected {
        /// The request.
        request: String,
        /// HTTP status of the response.
        status: u16,
        /// Body of the response.
        body: String,
    },
    /// A request cannot be built.
    #[error("cannot build a request")]
    Request(#[from] http::Error),
    /// The stack lacks an output or an item that the run requires.
    #[error("the stack has no {0}")]
    NotInStack(String),
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
}

/// Returns [`ChaosError::Interrupted`] if the caller has requested an interrupt.
pub(crate) fn check_interrupted(interrupted: fn() -> bool) -> Result<(), ChaosError> {
    if interrupted() { Err(ChaosError::Interrupted) } else { Ok(()) }
}
