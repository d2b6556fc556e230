//! Batch operations, which can fail partially.

use ferrite_aws_proxy::call::{Operation, Service};

/// A batch operation whose response can report failed entries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Batch {
    /// PutEvents of EventBridge. The response contains a result for each entry, in order.
    PutEvents,
    /// BatchGetItem of DynamoDB. The response contains the unprocessed keys of each table.
    BatchGetItem,
}

impl Batch {
    /// Returns the batch operation, or `None` if `operation` is not a batch.
    pub(crate) fn of(operation: &Operation) -> Option<Self> {
        match (operation.service, operation.name.as_str()) {
            (Service::EventBridge, "PutEvents") => Some(Self::PutEvents),
            (Service::DynamoDb, "BatchGetItem") => Some(Self::BatchGetItem),
            _ => None,
        }
    }
}
