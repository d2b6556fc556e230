//! The issuer's keys, kept between invocations.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ferrite_aws::{Cached, CachedError};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::jwks::{InvalidJwks, KeySet};

/// For one fetch, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Between two fetches for an unknown key id: anyone can make one up, and must not make us flood the issuer with it.
const UNKNOWN_KEY_SECONDS: u64 = 60;

/// Where a JWK Set comes from.
pub(crate) trait FetchJwks: Send + Sync {
    /// The document as it is now.
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// Why the document could not be had.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    #[error("the source answered with status {0}")]
    Status(u16),
    #[error("the answer is too large for a JWK Set")]
    TooLarge,
    #[error("the source cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

impl FetchError {
    pub(crate) fn unreachable(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Unreachable(Box::new(cause))
    }
}

/// Why the keys were not replaced.
#[derive(Debug, Error)]
pub(crate) enum RefreshError {
    #[error("the fetch took longer than {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Invalid(#[from] InvalidJwks),
}

/// There are no keys, or none that are still fresh enough to trust, or there may be newer ones that could not be fetched. The
/// reason was logged when it happened.
#[derive(Debug, Error)]
#[error("no keys to verify with")]
pub(crate) struct KeysUnavailable;

/// How long keys are used, in seconds since they were fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// Before they are fetched again. A key that its issuer withdrew works for this long at most.
    pub(crate) ttl_seconds: u64,
    /// Before they are no longer used, should every fetch since have failed.
    pub(crate) max_stale_seconds: u64,
}

/// The keys of one source. Times are given by the caller, in seconds since 1970.
pub(crate) struct KeyCache<S> {
    source: S,
    keys: Cached<Arc<KeySet>>,
    /// When keys were last fetched for an unknown key id. Locked during that fetch.
    unknown_key_fetched_at: Mutex<Option<u64>>,
}

impl<S: FetchJwks> KeyCache<S> {
    /// An empty cache: the first request fetches.
    pub(crate) fn new(source: S, lifetimes: Lifetimes) -> Self {
        let (ttl, max_stale) =
            (Duration::from_secs(lifetimes.ttl_seconds), Duration::from_secs(lifetimes.max_stale_seconds));
        Self { source, keys: Cached::new(ttl, max_stale).back_off_without_value(), unknown_key_fetched_at: Mutex::default() }
    }

    /// The keys, fetched first if there are none or they are too old. If that fails, the keys of the last fetch, as long as
    /// [`Lifetimes::max_stale_seconds`] allows.
    ///
    /// # Errors
    /// There are no keys that may be used.
    pub(crate) async fn current(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let keys = self.keys.get(time(now), |_| true, async || self.fetch().await).await;
        keys.map_err(|_| KeysUnavailable)
    }

    /// The keys to try once more for a token whose key id is not in [`Self::current`]: fetched again, unless they were
    /// fetched for an unknown id during the last minute.
    ///
    /// # Errors
    /// There are no keys, or the last fetch failed: the id may be one that the issuer has just started to use.
    pub(crate) async fn after_unknown_key(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut fetched_at = self.unknown_key_fetched_at.lock().await;
        if fetched_at.is_none_or(|then| now.saturating_sub(then) >= UNKNOWN_KEY_SECONDS) {
            let refreshed = self.keys.refresh(time(now), async || self.fetch().await).await;
            // A fetch that is not made, because one has just failed, does not use up the minute.
            if !matches!(refreshed, Err(CachedError::FailedRecently)) {
                *fetched_at = Some(now);
            }
            return refreshed.map_err(|_| KeysUnavailable);
        }
        // Another request has fetched them for an unknown id, which may have been this one.
        self.keys.latest(time(now)).await.ok_or(KeysUnavailable)
    }

    async fn fetch(&self) -> Result<Arc<KeySet>, RefreshError> {
        let fetched = async {
            let document = timeout(FETCH_TIMEOUT, self.source.fetch()).await.map_err(|_| RefreshError::TimedOut)??;
            Ok(Arc::new(KeySet::parse(&document)?))
        };
        // Cached keys may stay in use, so this line is the only sign of it.
        fetched
            .await
            .inspect_err(|error: &RefreshError| tracing::error!(error = error as &dyn Error, "the keys were not refreshed"))
    }
}

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
pub(crate) mod tests;
