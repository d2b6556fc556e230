//! Why a chaos run could not be completed. Violations are not errors: see [`crate::report::Report`].

use ferrite_aws_client::error::AwsError;

/// Why a chaos run could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// A call to the emulator failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The API did not answer.
    #[error("the API did not answer {request}: {reason}")]
    NoResponse {
        /// The request.
        request: String,
        /// The error of the HTTP client.
        reason: String,
    },
    /// The API rejected a request that the run depends on.
    #[error("{request} was rejected with status {status}: {body}")]
    Rejected {
        /// The request.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The body of the response.
        body: String,
    },
    /// A request could not be built.
    #[error("a request cannot be built")]
    Request(#[from] http::Error),
    /// The stack lacks something that the run needs.
    #[error("the stack has no {0}")]
    NotInStack(String),
    /// The caller stopped the run.
    #[error("interrupted")]
    Interrupted,
}

/// `Err` once the caller wants the run to stop.
pub(crate) fn check_interrupted(interrupted: fn() -> bool) -> Result<(), ChaosError> {
    if interrupted() { Err(ChaosError::Interrupted) } else { Ok(()) }
}
