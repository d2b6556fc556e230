//! In-memory idempotency store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::Timestamp;
use crate::ports::{Attempt, Fingerprint, IdempotencyStore, PortError, SavedResponse, StartResult};

/// Idempotency store that keeps its records in memory.
#[derive(Debug, Default)]
pub struct MemoryIdempotency(Mutex<HashMap<String, Record>>);

#[derive(Debug)]
struct Record {
    fingerprint: Fingerprint,
    in_progress_until: Timestamp,
    expires_at: Timestamp,
    response: Option<String>,
}

impl Record {
    /// Returns whether a new attempt may replace this record.
    fn is_replaceable(&self, now: Timestamp) -> bool {
        // Expiry times are stored in whole seconds.
        let expired = self.expires_at.unix_seconds() < now.unix_seconds();
        expired || (self.response.is_none() && self.in_progress_until < now)
    }
}

impl MemoryIdempotency {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn records(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.0.lock().unwrap()
    }
}

/// Returns whether `record` is in progress and belongs to `attempt`.
fn is_in_progress_for(record: &Record, attempt: &Attempt) -> bool {
    record.response.is_none() && record.in_progress_until == attempt.in_progress_until
}

impl IdempotencyStore for MemoryIdempotency {
    async fn start(&self, attempt: &Attempt) -> Result<StartResult, PortError> {
        let mut records = self.records();
        if let Some(record) = records.get(&attempt.key).filter(|record| !record.is_replaceable(attempt.now)) {
            return Ok(match &record.response {
                Some(response) => StartResult::Completed(SavedResponse {
                    fingerprint: record.fingerprint.clone(),
                    response: response.clone(),
                }),
                None => StartResult::InProgress,
            });
        }
        let record = Record {
            fingerprint: attempt.fingerprint.clone(),
            in_progress_until: attempt.in_progress_until,
            expires_at: attempt.expires_at,
            response: None,
        };
        records.insert(attempt.key.clone(), record);
        Ok(StartResult::Acquired)
    }

    async fn complete(&self, attempt: &Attempt, response: &str, expires_at: Timestamp) -> Result<bool, PortError> {
        match self.records().get_mut(&attempt.key) {
            Some(record) if is_in_progress_for(record, attempt) => {
                record.response = Some(response.to_owned());
                record.expires_at = expires_at;
                Ok(true)
            }
            Some(record) if record.in_progress_until == attempt.in_progress_until => {
                Ok(record.response.as_deref() == Some(response))
            }
            _ => Ok(false),
        }
    }

    async fn complete_if_in_progress(&self, key: &str, response: &str, expires_at: Timestamp) -> Result<bool, PortError> {
        let mut records = self.records();
        let Some(record) = records.get_mut(key).filter(|record| record.response.is_none()) else { return Ok(false) };
        record.response = Some(response.to_owned());
        record.expires_at = expires_at;
        Ok(true)
    }

    async fn release(&self, attempt: &Attempt) -> Result<(), PortError> {
        let mut records = self.records();
        if records.get(&attempt.key).is_some_and(|record| is_in_progress_for(record, attempt)) {
            records.remove(&attempt.key);
        }
        Ok(())
    }
}
