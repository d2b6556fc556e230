//! Why a call to AWS failed.

use crate::signer::SignError;

/// Why a call to AWS failed.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// There was no response.
    #[error("{url} did not answer: {reason}")]
    NoResponse {
        /// The URL that was called.
        url: String,
        /// The error of the HTTP client.
        reason: String,
    },
    /// The service answered with an error.
    #[error("{operation} was rejected with status {status}: {body}")]
    Rejected {
        /// The operation.
        operation: String,
        /// The HTTP status.
        status: u16,
        /// The body of the response.
        body: String,
    },
    /// The response is not in the format that the service documents.
    #[error("{operation} answered something unexpected: {reason}")]
    Unexpected {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request could not be built.
    #[error("cannot build the request for {operation}: {reason}")]
    Request {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request could not be signed.
    #[error("cannot sign the request")]
    Sign(#[from] SignError),
}

impl AwsError {
    /// Whether the service answered that there is no such resource.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Rejected { status: 404, .. })
    }
}
