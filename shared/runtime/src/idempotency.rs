//! Doing a thing once: under each idempotency key the first attempt is carried out, and every other gets its answer.
//!
//! The records and the way from one state to the next are those of Powertools for AWS Lambda, so that a function in
//! Python can share the table:
//!
//! - `INPROGRESS` from the beginning of an attempt until the end of its invocation (`in_progress_expiration`), so that an
//!   attempt that dies leaves the key free for the next;
//! - `COMPLETED` with the answer (`data`) and a digest of what was asked (`validation`) until `expiration`;
//! - gone, when the attempt failed.
//!
//! The attempt that dies between its work and `COMPLETED` is carried out again. Where that must not be, the record is
//! written in the same transaction as the change.
//!
//! ```
//! use ferrite_core::ports::{Clock, IdempotencyStore};
//! use ferrite_runtime::idempotency::{Idempotency, IdempotencyError};
//!
//! /// Sends one e-mail for each event, however often the event is delivered.
//! async fn welcome(
//!     sent: &Idempotency<impl IdempotencyStore, impl Clock>,
//!     event_id: &str,
//! ) -> Result<(), IdempotencyError<std::io::Error>> {
//!     sent.once(&event_id, &event_id, send()).await
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

/// How long an answer is given again, unless another time is asked for: what Stripe promises.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest that Lambda runs anything ("Lambda quotas"), for when it did not say how long.
const LONGEST_INVOCATION: Duration = Duration::from_secs(15 * 60);

/// Carries things out once.
#[derive(Debug, Clone)]
pub struct Idempotency<R, C> {
    records: R,
    clock: C,
    prefix: &'static str,
    lifetime: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdempotencyError<E> {
    /// Another attempt under this key is in progress.
    #[error("another attempt under this idempotency key is in progress")]
    InProgress,
    /// The key was used for something else.
    #[error("the idempotency key was used for something else")]
    Reused,
    /// It panicked. The next attempt is carried out.
    #[error(transparent)]
    Panicked(#[from] PanicError),
    /// It failed. The next attempt is carried out.
    #[error("{0}")]
    Failed(E),
    /// Whether there is an answer is not known, or it could not be kept. The next attempt tells, and may be carried out.
    #[error(transparent)]
    Store(#[from] PortError),
}

impl<R: IdempotencyStore, C: Clock> Idempotency<R, C> {
    /// Keys are `prefix` with a digest, so that different functions can share the table; Powertools' prefix is
    /// `<function name>.<module>.<handler>`, or what `key_prefix` says. Answers are given again for a [`DAY`].
    pub fn new(records: R, clock: C, prefix: &'static str) -> Self {
        Self { records, clock, prefix, lifetime: DAY }
    }

    /// Answers are given again for `lifetime`.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// The answer of `work`, which runs only for the first attempt under `key`. `asked` is what tells attempts that ask for
    /// different things apart.
    ///
    /// # Errors
    /// As [`IdempotencyError`] says. What failed is as if it had not been tried: the next attempt is carried out.
    pub async fn once<T, E>(
        &self,
        key: &impl Serialize,
        asked: &impl Serialize,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, IdempotencyError<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        let attempt = self.attempt(key, asked)?;
        match self.records.start(&attempt).await? {
            StartResult::Acquired => {}
            StartResult::InProgress => return Err(IdempotencyError::InProgress),
            StartResult::Completed(saved) if saved.fingerprint != attempt.fingerprint => {
                return Err(IdempotencyError::Reused);
            }
            StartResult::Completed(saved) => {
                tracing::debug!("answered from the idempotency record");
                return Ok(serde_json::from_str(&saved.response).map_err(unreadable)?);
            }
        }
        let answer = match panics::catch(work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.freed(&attempt, IdempotencyError::Failed(error)).await),
            Err(panicked) => return Err(self.freed(&attempt, panicked.into()).await),
        };
        let text = serde_json::to_string(&answer).map_err(unreadable)?;
        if !self.records.complete(&attempt, &text, self.clock.now().after(self.lifetime)).await? {
            tracing::warn!("another attempt took over before this one ended");
        }
        Ok(answer)
    }

    #[cfg(test)]
    pub(crate) fn at(self, clock: C) -> Self {
        Self { clock, ..self }
    }

    fn attempt(&self, key: &impl Serialize, asked: &impl Serialize) -> Result<Attempt, PortError> {
        let now = self.clock.now();
        let remaining = invocation::current(|scope| scope.invocation.remaining()).flatten().unwrap_or(LONGEST_INVOCATION);
        Ok(Attempt {
            key: format!("{}#{}", self.prefix, digest(key).map_err(unreadable)?),
            fingerprint: Fingerprint(digest(asked).map_err(unreadable)?),
            now,
            in_progress_until: now.after(remaining),
            expires_at: now.after(self.lifetime),
        })
    }

    /// Frees the key for the next attempt, after this one ended with `error`.
    async fn freed<E>(&self, attempt: &Attempt, error: IdempotencyError<E>) -> IdempotencyError<E> {
        if let Err(error) = self.records.release(attempt).await {
            // It frees itself when the invocation's time is over.
            tracing::warn!(error = &error as &dyn Error, "the idempotency key stays in use until the invocation's deadline");
        }
        error
    }
}

fn unreadable(error: impl Error + Send + Sync + 'static) -> PortError {
    PortError::new("reading or writing an idempotency record", error)
}
