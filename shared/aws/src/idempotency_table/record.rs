//! An idempotency record as an item, with the attributes that Powertools for AWS Lambda (Python) writes by default and with
//! their meaning there, so that functions in both languages can share a table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, Fingerprint, PortError, SavedResponse};
use serde::{Deserialize, Serialize};

/// An idempotency record without its key, as an item.
///
/// | attribute | meaning |
/// |---|---|
/// | `status` | `INPROGRESS` or `COMPLETED` |
/// | `expiration` | when the record counts as absent, in seconds since 1970: the table's time to live attribute |
/// | `in_progress_expiration` | when an attempt has ended at the latest, in milliseconds since 1970 |
/// | `data` | the response, as JSON |
/// | `validation` | the request's digest; functions that do not compare requests leave it out |
///
/// For applications that write the record in the same transaction as the change that it is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    status: Status,
    expiration: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_progress_expiration: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    InProgress,
    Completed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

impl IdempotencyRecord {
    /// The record of an attempt that starts.
    pub(super) fn in_progress(attempt: &Attempt) -> Self {
        Self {
            status: Status::InProgress,
            expiration: attempt.expires_at.unix_seconds(),
            in_progress_expiration: Some(attempt.in_progress_until.unix_millis()),
            data: None,
            validation: Some(attempt.fingerprint.0.clone()),
        }
    }

    /// The record of an attempt that has completed.
    #[must_use]
    pub fn completed(saved: &SavedResponse, expires_at: Timestamp) -> Self {
        Self {
            status: Status::Completed,
            expiration: expires_at.unix_seconds(),
            in_progress_expiration: None,
            data: Some(saved.response.clone()),
            validation: Some(saved.fingerprint.0.clone()),
        }
    }

    /// The record in `item`, whose key is ignored.
    ///
    /// # Errors
    /// The item is not an idempotency record.
    pub fn from_item(item: HashMap<String, AttributeValue>) -> Result<Self, PortError> {
        serde_dynamo::from_item(item).map_err(|error| PortError::new("reading an idempotency record", error))
    }

    /// The attributes, to which the caller adds the key.
    ///
    /// # Errors
    /// The record cannot be written as an item, which is a mistake in this program.
    pub fn into_item(self) -> Result<HashMap<String, AttributeValue>, PortError> {
        serde_dynamo::to_item(self).map_err(|error| PortError::new("writing an idempotency record", error))
    }

    /// Whether the record has expired at `now`. DynamoDB deletes an item some time after that.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expiration < now.unix_seconds()
    }

    /// Whether it is in progress, or completed, with the attempt that ends at `in_progress_until`.
    pub(super) fn belongs_to(&self, attempt: &Attempt) -> bool {
        self.in_progress_expiration == Some(attempt.in_progress_until.unix_millis())
    }

    pub(super) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// The saved response; `None` while an attempt is in progress. A function that returned nothing has no `data`; a record
    /// without `validation` counts as another request's, as in Powertools.
    #[must_use]
    pub fn into_response(self) -> Option<SavedResponse> {
        (self.status == Status::Completed).then(|| SavedResponse {
            fingerprint: Fingerprint(self.validation.unwrap_or_default()),
            response: self.data.unwrap_or_else(|| "null".to_owned()),
        })
    }
}
