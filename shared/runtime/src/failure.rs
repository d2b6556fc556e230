//! Why an event, a message or a record was not processed.

use std::error::Error;

use lambda_runtime::Diagnostic;

use crate::log::{self, Outcome};

/// Why an event, a message or a record was not processed: the error of every handler except those of HTTP requests.
///
/// | | [`Retry`](Self::Retry) | [`Reject`](Self::Reject) |
/// |---|---|---|
/// | message of a queue ([`batch::sqs`](crate::batch::sqs), [`batch::events`](crate::batch::events)) | delivered again, with back-off | dead-letter queue, with the reason |
/// | record of a stream ([`batch::dynamodb`](crate::batch::dynamodb), [`batch::kinesis`](crate::batch::kinesis)) | delivered again, with those after it | dead-letter queue, with the reason |
/// | event of a schedule or of S3 ([`schedule`](crate::schedule), [`s3`](crate::s3)) | the invocation fails, and Lambda retries it | dead-letter queue, with the reason |
/// | any other event ([`event`](crate::event)) | the invocation fails | the invocation fails, and its error is the text of the cause alone |
///
/// `?` turns any error into [`Retry`](Self::Retry).
#[derive(Debug)]
pub enum Failure {
    /// Processing it later may succeed.
    Retry(Box<dyn Error + Send + Sync>),
    /// It can never be processed.
    Reject(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Processing it later may succeed.
    pub fn retry(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(cause.into())
    }

    /// It can never be processed.
    pub fn reject(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Reject(cause.into())
    }

    /// The error that caused it.
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

/// What Lambda returns to whatever invoked the function.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_message = match &failure {
            Failure::Retry(cause) => log::error_chain(&**cause),
            Failure::Reject(cause) => cause.to_string(),
        };
        Self { error_type: format!("{:?}", failure.outcome()), error_message }
    }
}
