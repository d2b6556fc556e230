//! Batches: records are processed independently, and only those that failed are delivered again.
//!
//! [`sqs`] is for queues, standard and FIFO; [`events`] for queues whose messages are the application's domain events;
//! [`dynamodb`] and [`kinesis`] are for streams. For all of them:
//!
//! - A panic or a missed deadline is the failure of one record.
//! - [`Failure::Retry`](crate::Failure::Retry) has the record delivered again. [`Failure::Reject`](crate::Failure::Reject)
//!   puts it into the dead-letter queue at once, with the reason.
//! - A record that does not come from the expected source fails or is rejected, with the reason in the log.
//! - The response is that of a partial batch failure: the event source mapping's `FunctionResponseTypes` must contain
//!   `ReportBatchItemFailures` ("Handling errors for an SQS event source in Lambda"). An event that is not a batch fails the
//!   invocation.

pub mod dynamodb;
mod engine;
pub mod events;
pub mod kinesis;
mod response;
pub mod sqs;
mod stream;

use std::num::NonZeroUsize;
use std::time::Duration;

pub use response::Response;

/// Limits for processing a batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most records that are processed at the same time. Records whose order matters (those of one message group of a
    /// FIFO queue, and those of a stream) are always processed one after another.
    pub concurrency: NonZeroUsize,
    /// The longest time for one record. No record gets more than the invocation has left.
    pub timeout: Option<Duration>,
}

impl Default for Limits {
    /// Ten records at the same time, without a timeout of their own.
    fn default() -> Self {
        const TEN: NonZeroUsize = NonZeroUsize::new(10).unwrap();
        Self { concurrency: TEN, timeout: None }
    }
}
