//! A fetched value that is kept between invocations.

use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

/// From one failed fetch to the next: an outage must not delay every request.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A value that is fetched when it is needed, and again when it is older than its lifetime. When fetching it again fails,
/// the value stays in use until it is too old.
///
/// Requests that need the value at the same time wait for one fetch. Times are those of the wall clock: a monotonic clock may
/// stand still while Lambda has the environment frozen.
#[derive(Debug)]
pub struct Cached<T> {
    lifetime: Duration,
    max_stale: Duration,
    backs_off_without_value: bool,
    /// Locked during a fetch.
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<(T, SystemTime)>,
    failed_at: Option<SystemTime>,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CachedError<E> {
    /// The value could not be fetched.
    #[error(transparent)]
    Fetch(#[from] E),
    /// A fetch failed less than five seconds ago, and the next attempt is not due.
    #[error("the last fetch failed a moment ago")]
    FailedRecently,
}

impl<T: Clone> Cached<T> {
    /// An empty cache: the first request fetches. The value is fetched again when it is older than `lifetime`, and used for
    /// `max_stale` (or `lifetime`, if that is longer) if fetching it fails.
    #[must_use]
    pub fn new(lifetime: Duration, max_stale: Duration) -> Self {
        let state = State { value: None, failed_at: None };
        Self { lifetime, max_stale: max_stale.max(lifetime), backs_off_without_value: false, state: state.into() }
    }

    /// Makes [`Cached::get`] wait five seconds after a failed fetch even when there is no older value. By default, each
    /// request without a value fetches. Use this when a caller who is not authenticated can cause a fetch.
    #[must_use]
    pub fn back_off_without_value(self) -> Self {
        Self { backs_off_without_value: true, ..self }
    }

    /// The value at `now`, fetched first if it is too old. An error for which `is_outage` is false, such as a value that was
    /// deleted, is returned even if there is an older value, which is then dropped.
    ///
    /// # Errors
    /// There is no value that may be used.
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

    /// Fetches the value at `now`, however old it is, unless a fetch failed a moment ago.
    ///
    /// # Errors
    /// The value was not fetched. The older value stays in use.
    pub async fn refresh<E>(&self, now: SystemTime, fetch: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, CachedError<E>> {
        self.state.lock().await.fetch(now, |_| true, fetch).await
    }

    /// The value at `now` without fetching it; `None` when there is none that may be used, or the last fetch failed.
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

/// Whether `then` is less than `limit` before `now`, which includes a clock that was set back.
fn is_within(limit: Duration, then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).unwrap_or_default() < limit
}
