//! Idempotency records in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::Timestamp;
use crate::ports::{Attempt, Begun, Fingerprint, IdempotencyRecords, SavedAnswer, StoreError};

/// Idempotency records behind one lock.
#[derive(Debug, Default)]
pub struct MemoryIdempotency(Mutex<HashMap<String, Record>>);

#[derive(Debug)]
struct Record {
    fingerprint: Fingerprint,
    in_progress_until: Timestamp,
    expires_at: Timestamp,
    answer: Option<String>,
}

impl Record {
    fn is_past(&self, now: Timestamp) -> bool {
        // An expiry is kept in whole seconds.
        let expired = self.expires_at.unix_seconds() < now.unix_seconds();
        expired || (self.answer.is_none() && self.in_progress_until < now)
    }
}

impl MemoryIdempotency {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn records(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.0.lock().unwrap()
    }
}

/// Whether `record` is in progress, and with this attempt.
fn is_at(record: &Record, attempt: &Attempt) -> bool {
    record.answer.is_none() && record.in_progress_until == attempt.in_progress_until
}

impl IdempotencyRecords for MemoryIdempotency {
    async fn begin(&self, attempt: &Attempt) -> Result<Begun, StoreError> {
        let mut records = self.records();
        if let Some(record) = records.get(&attempt.key).filter(|record| !record.is_past(attempt.now)) {
            return Ok(match &record.answer {
                Some(answer) => {
                    Begun::Answered(SavedAnswer { fingerprint: record.fingerprint.clone(), answer: answer.clone() })
                }
                None => Begun::InProgress,
            });
        }
        let record = Record {
            fingerprint: attempt.fingerprint.clone(),
            in_progress_until: attempt.in_progress_until,
            expires_at: attempt.expires_at,
            answer: None,
        };
        records.insert(attempt.key.clone(), record);
        Ok(Begun::First)
    }

    async fn complete(&self, attempt: &Attempt, answer: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        match self.records().get_mut(&attempt.key) {
            Some(record) if is_at(record, attempt) => {
                record.answer = Some(answer.to_owned());
                record.expires_at = expires_at;
                Ok(true)
            }
            Some(record) if record.in_progress_until == attempt.in_progress_until => {
                Ok(record.answer.as_deref() == Some(answer))
            }
            _ => Ok(false),
        }
    }

    async fn settle(&self, key: &str, answer: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let mut records = self.records();
        let Some(record) = records.get_mut(key).filter(|record| record.answer.is_none()) else { return Ok(false) };
        record.answer = Some(answer.to_owned());
        record.expires_at = expires_at;
        Ok(true)
    }

    async fn release(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut records = self.records();
        if records.get(&attempt.key).is_some_and(|record| is_at(record, attempt)) {
            records.remove(&attempt.key);
        }
        Ok(())
    }
}
