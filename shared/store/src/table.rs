//! The DynamoDB table. Only this module knows its keys and items.

mod customers;
mod email_feedback;
mod email_limits;
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

pub use stream::{StreamRecord, StreamRecordError};

/// The DynamoDB table. Implements all ports that store products, customers, orders, or the limits and feedback of e-mail.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// Uses the table `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }
}

/// Returns the cancellation reason of each item of a transaction, in the order of the items. Returns `None` if the
/// transaction failed for another reason.
fn cancellation_reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => Some(cancelled.cancellation_reasons()),
        _ => None,
    }
}

/// Returns whether the transaction failed only because of a conflict: another transaction was changing the same items
/// (`TransactionConflict`), or one with the same token is still in progress. A retry is then safe and likely to
/// succeed.
fn is_conflict<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    if let Some(TransactWriteItemsError::TransactionInProgressException(_)) = error.as_service_error() {
        return true;
    }
    cancellation_reasons(error).is_some_and(|reasons| {
        let codes = || reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None");
        codes().count() > 0 && codes().all(|code| code == "TransactionConflict")
    })
}

/// Backoff for transaction conflicts: five retries within about half a second, which the waiting customer does not
/// notice.
fn conflict_retries() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(15))
        .with_max_times(5)
        .with_jitter()
}
