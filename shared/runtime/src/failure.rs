//! The error type of handlers for events, messages and records.

use std::error::Error;

use lambda_runtime::Diagnostic;

use crate::log::{self, Outcome};

/// The reason an event, message or record was not processed. Every handler returns this error, except HTTP handlers.
///
/// What happens next depends on the event source:
///
/// | | [`Retry`](Self::Retry) | [`Reject`](Self::Reject) |
/// |---|---|---|
/// | SQS message ([`batch::sqs`](crate::batch::sqs), [`batch::events`](crate::batch::events)) | retried with exponential back-off | sent to the dead-letter queue with the reason |
/// | stream record ([`batch::dynamodb`](crate::batch::dynamodb), [`batch::kinesis`](crate::batch::kinesis)) | retried together with all later records | sent to the dead-letter queue with the reason |
/// | schedule event or S3 notification ([`schedule`](crate::schedule), [`s3`](crate::s3)) | the invocation fails, and Lambda retries it | sent to the dead-letter queue with the reason |
/// | any other event ([`event`](crate::event)) | the invocation fails | the invocation fails; its error message contains only the cause's own message, not its sources |
///
/// The `?` operator converts any error to [`Retry`](Self::Retry).
#[derive(Debug)]
pub enum Failure {
    /// Processing failed, but a retry may succeed.
    Retry(Box<dyn Error + Send + Sync>),
    /// The input is invalid, and a retry cannot succeed.
    Reject(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Creates a [`Retry`](Self::Retry) failure: a retry may succeed.
    pub fn retry(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(cause.into())
    }

    /// Creates a [`Reject`](Self::Reject) failure: a retry cannot succeed.
    pub fn reject(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Reject(cause.into())
    }

    /// Returns the error that caused the failure.
    #[must_use]
    pub fn cause(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Retry(cause) | Self::Reject(cause) => &**cause,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Retry(_) => Outcome::Failed,
            Self::Reject(_) => Outcome::Rejected,
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}

/// Converts the failure to the error that Lambda returns to the invoker of the function.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_message = match &failure {
            Failure::Retry(cause) => log::error_chain(&**cause),
            Failure::Reject(cause) => cause.to_string(),
        };
        Self { error_type: format!("{:?}", failure.outcome()), error_message }
    }
}
