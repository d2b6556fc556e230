//! The error type of the AWS client.

use crate::signer::SignError;

/// Error returned when a call to AWS fails.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// There was no response.
    #[error("no response from {url}: {reason}")]
    NoResponse {
        /// URL of the request.
        url: String,
        /// Error of the HTTP client.
        reason: String,
    },
    /// The service returned an error response.
    #[error("{operation} failed with status {status}: {body}")]
    Rejected {
        /// Name of the operation.
        operation: String,
        /// HTTP status.
        status: u16,
        /// Body of the response.
        body: String,
    },
    /// The response does not have the format that the service documents.
    #[error("unexpected response to {operation}: {reason}")]
    Unexpected {
        /// Name of the operation.
        operation: String,
        /// What is wrong with the response.
        reason: String,
    },
    /// The request could not be built.
    #[error("cannot build the request for {operation}: {reason}")]
    Request {
        /// Name of the operation.
        operation: String,
        /// What is wrong with the request.
        reason: String,
    },
    /// The request could not be signed.
    #[error("cannot sign the request")]
    Sign(#[from] SignError),
}

impl AwsError {
    /// Returns `true` if the service responded with status 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Rejected { status: 404, .. })
    }
}
