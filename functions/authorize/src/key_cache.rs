//! The issuer's keys, kept between invocations.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::jwks::{InvalidJwks, KeySet};

/// For one fetch, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// From one failed fetch to the next. Longer than the fetch itself, or an outage would hold up every request.
const RETRY_SECONDS: u64 = 5;
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
    lifetimes: Lifetimes,
    /// Held during a fetch, so that requests that need it at once wait for one fetch and share what it brings.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fetched: Option<Fetched>,
    failed_at: Option<u64>,
    sought_unknown_at: Option<u64>,
}

struct Fetched {
    keys: Arc<KeySet>,
    at: u64,
}

impl<S: FetchJwks> KeyCache<S> {
    /// An empty cache: the first question fetches.
    pub(crate) fn new(source: S, lifetimes: Lifetimes) -> Self {
        Self { source, lifetimes, state: Mutex::default() }
    }

    /// The keys, fetched first where there are none or their time is up. When that fails, those of the last fetch, as
    /// long as [`Lifetimes::max_stale_seconds`] allows.
    ///
    /// # Errors
    /// When that leaves no keys.
    pub(crate) async fn current(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut state = self.state.lock().await;
        let fresh = self.lifetimes.ttl_seconds;
        if !state.fetched.as_ref().is_some_and(|keys| is_within(fresh, Some(keys.at), now)) {
            self.refresh(&mut state, now).await;
        }
        self.usable(&state, now)
    }

    /// The keys to try once more, for a token whose key id is not in [`Self::current`]: fetched again if none has been for
    /// an unknown id during the last minute.
    ///
    /// # Errors
    /// When there are no keys, or the last fetch failed: the id may be one that the issuer has just begun to use.
    pub(crate) async fn after_unknown_key(&self, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut state = self.state.lock().await;
        // Where the failure of a moment ago keeps from fetching, the minute is not spent.
        if !is_within(UNKNOWN_KEY_SECONDS, state.sought_unknown_at, now) && self.refresh(&mut state, now).await {
            state.sought_unknown_at = Some(now);
        }
        if state.failed_at.is_some() {
            return Err(KeysUnavailable);
        }
        // Where another request has just fetched them, the id may be known by now.
        self.usable(&state, now)
    }

    /// Whether a fetch was made, which a failed one of the last [`RETRY_SECONDS`] prevents.
    async fn refresh(&self, state: &mut State, now: u64) -> bool {
        if is_within(RETRY_SECONDS, state.failed_at, now) {
            return false;
        }
        match self.fetch().await {
            Ok(keys) => {
                state.fetched = Some(Fetched { keys: Arc::new(keys), at: now });
                state.failed_at = None;
            }
            Err(error) => {
                // Cached keys may go on serving, so that this line is the only sign of it.
                tracing::error!(error = &error as &dyn Error, "the keys were not refreshed");
                state.failed_at = Some(now);
            }
        }
        true
    }

    async fn fetch(&self) -> Result<KeySet, RefreshError> {
        let fetched = timeout(FETCH_TIMEOUT, self.source.fetch()).await;
        let document = fetched.map_err(|_| RefreshError::TimedOut)??;
        Ok(KeySet::parse(&document)?)
    }

    fn usable(&self, state: &State, now: u64) -> Result<Arc<KeySet>, KeysUnavailable> {
        let Lifetimes { ttl_seconds, max_stale_seconds } = self.lifetimes;
        let longest = ttl_seconds.max(max_stale_seconds);
        let fetched = state.fetched.as_ref();
        let usable = fetched.filter(|keys| is_within(longest, Some(keys.at), now));
        usable.map(|keys| Arc::clone(&keys.keys)).ok_or(KeysUnavailable)
    }
}

/// Whether `then` is fewer than `seconds` before `now`.
fn is_within(seconds: u64, then: Option<u64>, now: u64) -> bool {
    then.is_some_and(|then| now.saturating_sub(then) < seconds)
}

#[cfg(test)]
pub(crate) mod tests;
