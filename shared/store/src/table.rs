//! The DynamoDB table: one place that knows its keys and items.

mod customers;
mod keys;
mod order_item;
mod orders;
mod placement;
mod prewarm;
mod product_item;
mod products;
mod profile_item;
mod stream;
mod transition;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use ferrite_aws::dynamodb_client;
use ferrite_core::ports::PortError;

pub use stream::{StreamRecord, StreamRecordError};

/// The table. It implements every port that keeps products, customers or orders.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table called `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }
}

/// Turns an SDK error into the port's, with the operation's name and the whole cause.
fn failed<E>(operation: &'static str) -> impl Fn(E) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| PortError::new(operation, cause)
}

/// Why each item of a cancelled transaction was refused, in the order of the items; `None` when the transaction was not
/// cancelled but failed otherwise.
fn cancellation<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => Some(cancelled.cancellation_reasons()),
        _ => None,
    }
}

/// Whether the only thing wrong was that another transaction was changing the same items ("TransactionConflict"), or
/// that one with the same token is still going on. To try again is then safe and likely to help.
fn is_conflict<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    if let Some(TransactWriteItemsError::TransactionInProgressException(_)) = error.as_service_error() {
        return true;
    }
    cancellation(error).is_some_and(|reasons| {
        let codes = || reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None");
        codes().count() > 0 && codes().all(|code| code == "TransactionConflict")
    })
}

/// How often and how long after each other a conflicting transaction is tried again: five times within about half a
/// second, so that the customer waiting for it never notices.
fn conflict_retries() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(15))
        .with_max_times(5)
        .with_jitter()
}
