//! The kinds of operations that faults treat differently.

use ferrite_aws_proxy::call::{Operation, Service};

/// The operations whose response can report failed entries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Batch {
    /// EventBridge's PutEvents: the response has a result for each entry, in order.
    Events,
    /// DynamoDB's BatchGetItem: the response has the keys that were not read, by table.
    Reads,
}

impl Batch {
    /// The kind of batch that an operation takes.
    pub(crate) fn of(operation: &Operation) -> Option<Self> {
        match (operation.service, operation.name.as_str()) {
            (Service::EventBridge, "PutEvents") => Some(Self::Events),
            (Service::DynamoDb, "BatchGetItem") => Some(Self::Reads),
            _ => None,
        }
    }
}
