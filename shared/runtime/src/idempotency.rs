//! Idempotency: the first attempt for each idempotency key is executed, and later attempts return its saved response.
//!
//! The records and their state transitions are compatible with Powertools for AWS Lambda, so a Python function can
//! share the table:
//!
//! - `INPROGRESS` during an attempt, until the deadline of its invocation (`in_progress_expiration`). If the attempt
//!   crashes, the key becomes available again at that time.
//! - `COMPLETED` with the response (`data`) and a hash of the payload (`validation`), until `expiration`.
//! - Deleted, if the attempt failed.
//!
//! If an attempt crashes after its work and before `COMPLETED`, the next attempt executes the work again. If that is
//! not acceptable, write the record in the same transaction as the change.
//!
//! ```
//! use ferrite_core::ports::{Clock, IdempotencyStore};
//! use ferrite_runtime::idempotency::{Idempotency, IdempotencyError};
//!
//! /// Sends one e-mail for each event, even if the event is delivered more than once.
//! async fn send_welcome_email(
//!     idempotency: &Idempotency<impl IdempotencyStore, impl Clock>,
//!     event_id: &str,
//! ) -> Result<(), IdempotencyError<std::io::Error>> {
//!     idempotency.once(&event_id, &event_id, send()).await
//! }
//! # async fn send() -> Result<(), std::io::Error> { Ok(()) }
//! ```

mod digest;

use std::error::Error;
use std::time::Duration;

use ferrite_core::ports::{Attempt, Clock, Fingerprint, IdempotencyStore, PortError, StartResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use digest::{DigestError, digest};

use crate::invocation;
use crate::panics::{self, PanicError};

/// Default lifetime of a saved response: 24 hours, as in Stripe's API.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum function timeout ("Lambda quotas"). Used if the invocation has no deadline.
const MAX_FUNCTION_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Executes work once per idempotency key.
#[derive(Debug, Clone)]
pub struct Idempotency<R, C> {
    store: R,
    clock: C,
    prefix: &'static str,
    lifetime: Duration,
}

/// The reason that [`Idempotency::once`] returned no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdempotencyError<E> {
    /// Another attempt with the same key is in progress.
    #[error("another attempt with this idempotency key is in progress")]
    InProgress,
    /// The key was used with a different payload.
    #[error("the idempotency key was used with a different payload")]
    Reused,
    /// The work panicked. The next attempt executes it again.
    #[error(transparent)]
    Panicked(#[from] PanicError),
    /// The work failed. The next attempt executes it again.
    #[error("{0}")]
    Failed(E),
    /// The record could not be read or written. The work may or may not have been executed, and the next attempt may
    /// execute it again.
    #[error(transparent)]
    Store(#[from] PortError),
}

impl<R: IdempotencyStore, C: Clock> Idempotency<R, C> {
    /// Creates an instance that saves responses for a [`DEFAULT_LIFETIME`].
    ///
    /// Each record key consists of `prefix` and a hash, so several functions can share the table. The prefix of
    /// Powertools is `<function name>.<module>.<handler>`, or the value of its `key_prefix` option.
    pub fn new(store: R, clock: C, prefix: &'static str) -> Self {
        Self { store, clock, prefix, lifetime: DEFAULT_LIFETIME }
    }

    /// Sets how long responses are saved.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Executes `work` for the first attempt with `key`, and returns its saved response for later attempts.
    ///
    /// `payload` identifies the request. An attempt with the same key and a different payload fails.
    ///
    /// # Errors
    /// Returns an [`IdempotencyError`]. If the work fails, the key is released, and the next attempt executes the work
    /// again.
    pub async fn once<T, E>(
        &self,
        key: &impl Serialize,
        payload: &impl Serialize,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, IdempotencyError<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        let attempt = self.attempt(key, payload)?;
        match self.store.start(&attempt).await? {
            StartResult::Acquired => {}
            StartResult::InProgress => return Err(IdempotencyError::InProgress),
            StartResult::Completed(saved) if saved.fingerprint != attempt.fingerprint => {
                return Err(IdempotencyError::Reused);
            }
            StartResult::Completed(saved) => {
                tracing::debug!("returning the saved response for this idempotency key");
                return Ok(serde_json::from_str(&saved.response).map_err(serialization_error)?);
            }
        }
        let response = match panics::catch(work).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.release(&attempt, IdempotencyError::Failed(error)).await),
            Err(panicked) => return Err(self.release(&attempt, panicked.into()).await),
        };
        let json = serde_json::to_string(&response).map_err(serialization_error)?;
        if !self.store.complete(&attempt, &json, self.clock.now().plus(self.lifetime)).await? {
            tracing::warn!("another attempt acquired the idempotency key before this attempt completed");
        }
        Ok(response)
    }

    #[cfg(test)]
    pub(crate) fn with_clock(self, clock: C) -> Self {
        Self { clock, ..self }
    }

    fn attempt(&self, key: &impl Serialize, payload: &impl Serialize) -> Result<Attempt, PortError> {
        let now = self.clock.now();
        let remaining = invocation::current(|scope| scope.invocation.remaining()).flatten().unwrap_or(MAX_FUNCTION_TIMEOUT);
        Ok(Attempt {
            key: format!("{}#{}", self.prefix, digest(key).map_err(serialization_error)?),
            fingerprint: Fingerprint(digest(payload).map_err(serialization_error)?),
            now,
            in_progress_until: now.plus(remaining),
            expires_at: now.plus(self.lifetime),
        })
    }

    /// Releases the key for the next attempt after this attempt failed with `error`, and returns that error.
    async fn release<E>(&self, attempt: &Attempt, error: IdempotencyError<E>) -> IdempotencyError<E> {
        if let Err(error) = self.store.release(attempt).await {
            // The next attempt can acquire the key after the deadline of the invocation.
            let message = "could not release the idempotency key; it stays locked until the deadline of the invocation";
            tracing::warn!(error = &error as &dyn Error, "{message}");
        }
        error
    }
}

fn serialization_error(error: impl Error + Send + Sync + 'static) -> PortError {
    PortError::new("serializing or deserializing an idempotency record", error)
}
