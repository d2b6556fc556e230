//! Batch processing: records are processed independently, and only failed records are retried.
//!
//! Use [`sqs`] for standard and FIFO queues, [`events`] for queues whose messages contain the application's domain
//! events, and [`dynamodb`] or [`kinesis`] for streams. The following applies to all of them:
//!
//! - A panic or a missed deadline fails only the record that is being processed.
//! - [`Failure::Retry`](crate::Failure::Retry) causes the record to be delivered again.
//!   [`Failure::Reject`](crate::Failure::Reject) immediately sends it to the dead-letter queue, together with the
//!   reason.
//! - A record from an unexpected event source fails or is rejected, and the reason is logged.
//! - The response reports partial batch failures, so the `FunctionResponseTypes` of the event source mapping must
//!   contain `ReportBatchItemFailures` ("Handling errors for an SQS event source in Lambda"). An event that is not a
//!   batch fails the invocation.
//!
//! [`outbox`] publishes the changes of a DynamoDB table as events, and retries whole batches.

pub mod dynamodb;
mod engine;
pub mod events;
pub mod kinesis;
pub mod outbox;
mod response;
pub mod sqs;
mod stream;

use std::num::NonZeroUsize;
use std::time::Duration;

pub use response::Response;
use serde_json::Value;

use crate::event::{self, BoxedHandler};
use crate::{InitError, LocalBoxFuture};

/// Runs a batch function.
fn run(handler: BoxedHandler<'_, Value, Response>) -> LocalBoxFuture<'_, Result<(), InitError>> {
    event::run(handler)
}

/// Limits for processing a batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of records that are processed concurrently. Records with a guaranteed order (those in the same
    /// message group of a FIFO queue, and those of a stream) are always processed sequentially.
    pub concurrency: NonZeroUsize,
    /// Maximum processing time of one record. It is also limited by the remaining time of the invocation.
    pub timeout: Option<Duration>,
}

impl Default for Limits {
    /// Ten concurrent records and no timeout per record.
    fn default() -> Self {
        const TEN: NonZeroUsize = NonZeroUsize::new(10).unwrap();
        Self { concurrency: TEN, timeout: None }
    }
}
