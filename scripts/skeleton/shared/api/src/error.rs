//! Maps the application's errors to HTTP problem responses. This is the only place that assigns a status to an error.

use ferrite_core::ports::PortError;
use ferrite_runtime::http::Problem;

/// Error type of the HTTP handlers.
///
/// The `?` operator converts errors of the domain, its ports, and the runtime into this type.
#[derive(Debug)]
pub struct ApiError(Problem);

impl ApiError {
    /// Returns the problem document that is sent to the client.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        error.0
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        Self(error.into())
    }
}
