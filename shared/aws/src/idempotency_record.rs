//! An idempotency record as an item, with the attributes that Powertools for AWS Lambda (Python) writes by default and the
//! meaning that it gives them, so that a Python function can share a table with one of ours.
//!
//! | attribute | meaning |
//! |---|---|
//! | `status` | `INPROGRESS` or `COMPLETED` |
//! | `expiration` | when the record counts as absent, in seconds since 1970: the table's time to live attribute |
//! | `in_progress_expiration` | when an attempt has surely ended, in milliseconds since 1970 |
//! | `data` | the answer, as JSON |
//! | `validation` | the request's digest; a function that does not compare requests leaves it out |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_domain::ports::{Attempt, Fingerprint, SavedAnswer, StoreError};
use serde::{Deserialize, Serialize};

/// The record, without its key.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordItem {
    pub(crate) status: Status,
    pub(crate) expiration: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_progress_expiration: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    InProgress,
    Completed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

impl RecordItem {
    /// The record of an attempt that begins.
    pub(crate) fn begun(attempt: &Attempt) -> Self {
        Self {
            status: Status::InProgress,
            expiration: attempt.expires_at.unix_seconds(),
            in_progress_expiration: Some(attempt.in_progress_until.unix_millis()),
            data: None,
            validation: Some(attempt.fingerprint.0.clone()),
        }
    }

    /// Reads the record; an item has a key too, which is passed over.
    pub(crate) fn read(item: HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        serde_dynamo::from_item(item).map_err(|error| StoreError::new("reading an idempotency record", error))
    }

    /// The attributes, for the caller to add the key to.
    pub(crate) fn write(self) -> Result<HashMap<String, AttributeValue>, StoreError> {
        serde_dynamo::to_item(self).map_err(|error| StoreError::new("writing an idempotency record", error))
    }

    /// The answer, if there is one. A function that answered nothing has none in `data`, and one that left `validation` out
    /// is taken, as Powertools takes it, to have had another request.
    pub(crate) fn into_answer(self) -> Option<SavedAnswer> {
        (self.status == Status::Completed).then(|| SavedAnswer {
            fingerprint: Fingerprint(self.validation.unwrap_or_default()),
            answer: self.data.unwrap_or_else(|| "null".to_owned()),
        })
    }
}
