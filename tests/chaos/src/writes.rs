//! Records the writes to one table that were executed, including those whose response was lost. They cannot be derived from
//! the final state of the table.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use ferrite_aws_proxy::call::{Operation, Service};

/// A single write that DynamoDB has executed.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// `PutItem` or `UpdateItem`.
    pub operation: String,
    /// Body of the request.
    pub request: Value,
}

/// The recorded writes to the watched table, if any.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    watched: Mutex<Option<String>>,
    recorded: Mutex<Vec<Write>>,
}

impl Writes {
    pub(crate) fn watch(&self, table: &str) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.to_owned());
    }

    pub(crate) fn recorded(&self) -> Vec<Write> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a successful call, if it is a write to the watched table.
    pub(crate) fn add(&self, operation: &Operation, request: &[u8]) {
        if operation.service != Service::DynamoDb || !["PutItem", "UpdateItem"].contains(&operation.name.as_str()) {
            return;
        }
        let Ok(request) = serde_json::from_slice::<Value>(request) else { return };
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.as_deref().is_some_and(|table| request["TableName"] == table) {
            let write = Write { operation: operation.name.clone(), request };
            self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(write);
        }
    }
}
