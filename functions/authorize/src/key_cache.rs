//! Caches the issuer's keys between invocations.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ferrite_aws::{Cached, CachedError};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::jwks::{InvalidJwks, KeySet};

/// Timeout of one fetch, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Minimum time between two fetches for unknown key ids. Anyone can send unknown key ids, which must not flood the
/// issuer with requests.
const UNKNOWN_KEY_FETCH_INTERVAL_SECONDS: u64 = 60;

/// The source of a JWK Set.
pub(crate) trait FetchJwks: Send + Sync {
    /// Fetches the current document.
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// The reason why the document could not be fetched.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    #[error("the source returned status {0}")]
    Status(u16),
    #[error("the response is too large for a JWK Set")]
    TooLarge,
    #[error("the source cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

impl FetchError {
    pub(crate) fn unreachable(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Unreachable(Box::new(error))
    }
}

/// The reason why the keys were not refreshed.
#[derive(Debug, Error)]
pub(crate) enum RefreshError {
    #[error("the fetch timed out after {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Invalid(#[from] InvalidJwks),
}

/// There are no keys, the cached keys are too old, or newer keys may exist but could not be fetched. The failed fetch
/// has already been logged.
#[derive(Debug, Error)]
#[error("no verification keys are available")]
pub(crate) struct KeysUnavailable;

/// How long keys are used, in seconds since the fetch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// Age at which keys are fetched again. A key that the issuer withdraws works for at most this long, unless
    /// fetching fails.
    pub(crate) ttl_seconds: u64,
    /// Age at which keys are no longer used if every later fetch fails.
    pub(crate) max_stale_seconds: u64,
}

/// The keys of one source. Callers pass the current time as Unix time in seconds.
pub(crate) struct KeyCache<S> {
    source: S,
    keys: Cached<Arc<KeySet>>,
    /// Time of the last fetch for an unknown key id. Locked during that fetch.
    unknown_key_fetched_at: Mutex<Option<u64>>,
}

impl<S: FetchJwks> KeyCache<S> {
    /// Creates an empty cache. The first request fetches the keys.
    pub(crate) fn new(source: S, lifetimes: Lifetimes) -> Self {
        let ttl = Duration::from_secs(lifetimes.ttl_seconds);
        let max_stale = Duration::from_secs(lifetimes.max_stale_seconds);
        Self { source, keys: Cached::new(ttl, max_stale).back_off_without_value(), unknown_key_fetched_at: Mutex::default() }
    }

    /// Returns the keys. Fetches them first if the cache is empty or older than [`Lifetimes::ttl_seconds`]. If the
    /// fetch fails, returns the cached keys until they are older than [`Lifetimes::max_stale_seconds`].
    ///
    /// # Errors
    /// Returns an error if there are no usable keys.
    pub(crate) async fn current(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let keys = self.keys.get(from_unix_seconds(now), |_| true, async || self.fetch().await).await;
        keys.map_err(|_| KeysUnavailable)
    }

    /// Returns the keys for a second attempt to verify a token whose key id is not in [`Self::current`]. Fetches them
    /// again, unless they were fetched for an unknown key id within the last minute.
    ///
    /// # Errors
    /// Returns an error if there are no keys or the last fetch failed, because the key id may be new.
    pub(crate) async fn refresh_for_unknown_key(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut fetched_at = self.unknown_key_fetched_at.lock().await;
        if fetched_at.is_none_or(|then| now.saturating_sub(then) >= UNKNOWN_KEY_FETCH_INTERVAL_SECONDS) {
            let refreshed = self.keys.refresh(from_unix_seconds(now), async || self.fetch().await).await;
            // A fetch that was skipped because another one has just failed does not start the minute.
            if !matches!(refreshed, Err(CachedError::FailedRecently)) {
                *fetched_at = Some(now);
            }
            return refreshed.map_err(|_| KeysUnavailable);
        }
        // Another request has just fetched the keys, possibly for the same key id.
        self.keys.latest(from_unix_seconds(now)).await.ok_or(KeysUnavailable)
    }

    async fn fetch(&self) -> Result<Arc<KeySet>, RefreshError> {
        let fetched = async {
            let document = timeout(FETCH_TIMEOUT, self.source.fetch()).await.map_err(|_| RefreshError::TimedOut)??;
            Ok(Arc::new(KeySet::parse(&document)?))
        };
        // Cached keys may stay in use, so this log line is the only sign of the failure.
        fetched
            .await
            .inspect_err(|error: &RefreshError| tracing::error!(error = error as &dyn Error, "could not refresh the keys"))
    }
}

fn from_unix_seconds(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
pub(crate) mod tests;
