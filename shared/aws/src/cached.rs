//! A fetched value that is cached across invocations.

use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

/// Minimum time between a failed fetch and the next one, so that an outage does not delay every request.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A cached value that is fetched on first use and refreshed when it is older than its lifetime. If the refresh fails,
/// the stale value is used until it is too old.
///
/// Concurrent requests for the value share one fetch. Times are wall-clock times, because a monotonic clock may stop
/// while the Lambda execution environment is frozen.
#[derive(Debug)]
pub struct Cached<T> {
    lifetime: Duration,
    max_stale: Duration,
    backs_off_without_value: bool,
    /// Locked during a fetch, so that only one fetch runs at a time.
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<(T, SystemTime)>,
    failed_at: Option<SystemTime>,
}

/// Reason why no value is available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CachedError<E> {
    /// The value could not be fetched.
    #[error(transparent)]
    Fetch(#[from] E),
    /// A fetch failed less than five seconds ago, so no new fetch was attempted.
    #[error("the last fetch failed recently")]
    FailedRecently,
}

impl<T: Clone> Cached<T> {
    /// Creates an empty cache. The value is refreshed when it is older than `lifetime`. If the refresh fails, the stale
    /// value is used until it is older than `max_stale` (or `lifetime`, if that is longer).
    #[must_use]
    pub fn new(lifetime: Duration, max_stale: Duration) -> Self {
        let state = State { value: None, failed_at: None };
        Self { lifetime, max_stale: max_stale.max(lifetime), backs_off_without_value: false, state: state.into() }
    }

    /// Makes [`Cached::get`] wait five seconds after a failed fetch even if there is no stale value. By default, every
    /// request fetches while there is no value. Use this if unauthenticated callers can trigger a fetch.
    #[must_use]
    pub fn back_off_without_value(self) -> Self {
        Self { backs_off_without_value: true, ..self }
    }

    /// Returns the value, and fetches it first if it is older than its lifetime at `now`.
    ///
    /// If `fetch` returns an error for which `is_outage` is false, for example because the value was deleted, the stale
    /// value is discarded and the error is returned.
    ///
    /// # Errors
    /// Returns an error if the fetch failed and there is no stale value that may be used.
    pub async fn get<E>(
        &self,
        now: SystemTime,
        is_outage: impl FnOnce(&E) -> bool,
        fetch: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, CachedError<E>> {
        let mut state = self.state.lock().await;
        if let Some(value) = state.younger_than(self.lifetime, now) {
            return Ok(value);
        }
        let stale = state.younger_than(self.max_stale, now);
        if stale.is_none() && !self.backs_off_without_value {
            state.failed_at = None;
        }
        match (state.fetch(now, is_outage, fetch).await, stale) {
            (Ok(value), _) => Ok(value),
            (Err(CachedError::Fetch(error)), _) if state.failed_at != Some(now) => Err(error.into()),
            (Err(_), Some(value)) => Ok(value),
            (Err(error), None) => Err(error),
        }
    }

    /// Fetches the value regardless of its age, unless a fetch failed less than five seconds before `now`.
    ///
    /// # Errors
    /// Returns an error if the value was not fetched. The stale value stays in use.
    pub async fn refresh<E>(&self, now: SystemTime, fetch: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, CachedError<E>> {
        self.state.lock().await.fetch(now, |_| true, fetch).await
    }

    /// Returns the value without fetching it, or `None` if there is no usable value at `now` or the last fetch failed.
    pub async fn latest(&self, now: SystemTime) -> Option<T> {
        let state = self.state.lock().await;
        state.younger_than(self.max_stale, now).filter(|_| state.failed_at.is_none())
    }
}

impl<T: Clone> State<T> {
    fn younger_than(&self, limit: Duration, now: SystemTime) -> Option<T> {
        let (value, fetched_at) = self.value.as_ref()?;
        is_within(limit, *fetched_at, now).then(|| value.clone())
    }

    async fn fetch<E>(
        &mut self,
        now: SystemTime,
        is_outage: impl FnOnce(&E) -> bool,
        fetch: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, CachedError<E>> {
        if self.failed_at.is_some_and(|failed_at| is_within(RETRY_INTERVAL, failed_at, now)) {
            return Err(CachedError::FailedRecently);
        }
        match fetch().await {
            Ok(value) => {
                *self = Self { value: Some((value.clone(), now)), failed_at: None };
                Ok(value)
            }
            Err(error) => {
                if is_outage(&error) {
                    self.failed_at = Some(now);
                } else {
                    *self = Self { value: None, failed_at: None };
                }
                Err(error.into())
            }
        }
    }
}

/// Returns whether `then` is less than `limit` before `now`, or after `now` because the clock was set back.
fn is_within(limit: Duration, then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).unwrap_or_default() < limit
}
