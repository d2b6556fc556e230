//! Batches: each record by itself, and only what failed delivered again.
//!
//! [`sqs`] is for queues, standard and FIFO; [`events`] for queues whose messages are this system's domain events;
//! [`dynamodb`] and [`kinesis`] are for streams. Wherever a record comes from:
//!
//! - a panic in it, or its running out of time, is its own failure and nobody else's;
//! - [`Failure::Retry`] has it delivered again, [`Failure::Reject`] puts it into the dead-letter queue at once, with the
//!   reason, because to deliver it again would only fail again;
//! - what cannot be read as a record of its source is its failure as well, with the reason in the log;
//! - the answer is what the event source mapping expects, whose `FunctionResponseTypes` must have
//!   `ReportBatchItemFailures` ("Handling errors for an SQS event source in Lambda"). An event that is no batch at all
//!   fails the invocation: there is nothing to name in an answer.

pub mod dynamodb;
mod engine;
pub mod events;
mod failure;
pub mod kinesis;
mod response;
pub mod sqs;
mod stream;

use std::num::NonZeroUsize;
use std::time::Duration;

pub use failure::Failure;
pub use response::Response;

/// How much of a batch is handled at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most records that are handled at the same time. Those whose order matters, a FIFO queue's of one message group
    /// and a stream's, are handled one after another whatever this says.
    pub at_once: NonZeroUsize,
    /// The longest that one record may take; none may take longer than the invocation has.
    pub each: Option<Duration>,
}

impl Default for Limits {
    /// Ten at once, for as long as the invocation has.
    fn default() -> Self {
        const TEN: NonZeroUsize = NonZeroUsize::new(10).unwrap();
        Self { at_once: TEN, each: None }
    }
}
