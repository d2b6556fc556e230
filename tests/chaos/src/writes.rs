//! The writes to one table that were carried out, even if their response was lost. The table's final state does not show
//! them.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use ferrite_aws_proxy::call::{Operation, Service};

/// A single write that DynamoDB has carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// `PutItem` or `UpdateItem`.
    pub operation: String,
    /// The request's body.
    pub request: Value,
}

/// The writes to the table that is watched, if one is.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    watched: Mutex<Option<String>>,
    seen: Mutex<Vec<Write>>,
}

impl Writes {
    pub(crate) fn watch(&self, table: &str) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.to_owned());
    }

    pub(crate) fn seen(&self) -> Vec<Write> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(write);
        }
    }
}
