//! Why a record was not handled.

use std::error::Error;

/// Why a record was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go better later: the record is delivered again.
    #[error("{0}")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It can never be handled: the record goes to the dead-letter queue at once, with the reason.
    #[error("{0}")]
    Reject(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// To be tried again.
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(error.into())
    }

    /// Not to be tried again.
    pub fn reject(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Reject(error.into())
    }
}
