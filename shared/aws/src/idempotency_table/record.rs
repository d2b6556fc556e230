//! Item format of idempotency records: the default attributes of Powertools for AWS Lambda (Python), so functions in
//! both languages can share a table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, Fingerprint, PortError, SavedResponse};
use serde::{Deserialize, Serialize};

/// An idempotency record, without its key.
///
/// | attribute | meaning |
/// |---|---|
/// | `status` | `INPROGRESS` or `COMPLETED` |
/// | `expiration` | Unix time in seconds at which the record expires: the table's TTL attribute |
/// | `in_progress_expiration` | Unix time in milliseconds at which the attempt times out |
/// | `data` | the saved response as JSON |
/// | `validation` | digest of the request; omitted by functions that do not validate the payload |
///
/// Applications can use it to write the record in the same transaction as the change that the request makes.
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
    /// Creates the record of an attempt that starts.
    pub(super) fn in_progress(attempt: &Attempt) -> Self {
        Self {
            status: Status::InProgress,
            expiration: attempt.expires_at.unix_seconds(),
            in_progress_expiration: Some(attempt.in_progress_until.unix_millis()),
            data: None,
            validation: Some(attempt.fingerprint.0.clone()),
        }
    }

    /// Creates the record of a completed attempt.
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

    /// Reads the record from `item`. Ignores the key.
    ///
    /// # Errors
    /// Returns an error if the item is not an idempotency record.
    pub fn from_item(item: HashMap<String, AttributeValue>) -> Result<Self, PortError> {
        serde_dynamo::from_item(item).map_err(|error| PortError::new("reading an idempotency record", error))
    }

    /// Converts the record to item attributes. The caller adds the key.
    ///
    /// # Errors
    /// Returns an error if the record cannot be serialized, which is a bug.
    pub fn into_item(self) -> Result<HashMap<String, AttributeValue>, PortError> {
        serde_dynamo::to_item(self).map_err(|error| PortError::new("writing an idempotency record", error))
    }

    /// Returns whether the record has expired at `now`. DynamoDB deletes expired items with a delay.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expiration < now.unix_seconds()
    }

    /// Returns whether the record was written by `attempt`, which `in_progress_until` identifies.
    pub(super) fn belongs_to(&self, attempt: &Attempt) -> bool {
        self.in_progress_expiration == Some(attempt.in_progress_until.unix_millis())
    }

    pub(super) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Returns the saved response, or `None` while an attempt is in progress.
    ///
    /// As in Powertools, a record without `data` belongs to a function that returned nothing, and a record without
    /// `validation` matches no request.
    #[must_use]
    pub fn into_response(self) -> Option<SavedResponse> {
        (self.status == Status::Completed).then(|| SavedResponse {
            fingerprint: Fingerprint(self.validation.unwrap_or_default()),
            response: self.data.unwrap_or_else(|| "null".to_owned()),
        })
    }
}
