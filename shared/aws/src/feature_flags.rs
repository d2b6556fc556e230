//! Feature flags whose schema is in Systems Manager Parameter Store or in AppConfig.

mod app_config;
mod parameter;

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ferrite_core::Timestamp;
use ferrite_core::feature_flags::{EvaluationContext, Features};
use ferrite_core::ports::{Clock, EvaluateFlags};
use serde::de::DeserializeOwned;

pub use self::app_config::{AppConfig, AppConfigError};
pub use self::parameter::FlagParameter;
use crate::cached::Cached;

/// A place that stores the schema of feature flags.
pub trait FeatureFlagSource: Send + Sync {
    /// Description of the source for log lines, such as "parameter /notes/feature-flags".
    fn description(&self) -> &str;

    /// Reads the schema, which is JSON text.
    ///
    /// # Errors
    /// Returns an error if the schema could not be read.
    fn read(&self) -> impl Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + Send;
}

/// Evaluates feature flags with a schema that is cached.
///
/// The schema is read again when it is older than the maximum age. While it cannot be read or is invalid, the last valid
/// schema remains in use. Before the first valid schema, callers get their own defaults. Each problem of the schema is logged
/// once as an error, and its end as information. A value that has another type than the code expects is logged each time.
///
/// ```no_run
/// use std::time::Duration;
///
/// use ferrite_aws::{FeatureFlags, FlagParameter, sdk_config};
/// use ferrite_core::feature_flags::EvaluationContext;
/// use ferrite_core::ports::{Clock, EvaluateFlags};
///
/// # async fn init(clock: impl Clock) -> Result<(), Box<dyn std::error::Error>> {
/// let source = FlagParameter::new(&sdk_config()?, "/notes/feature-flags");
/// let flags = FeatureFlags::new(source, clock, Duration::from_secs(60));
/// flags.prewarm().await;
///
/// let context = EvaluationContext::new().with("tier", "premium");
/// if flags.is_enabled("shared_notes", &context, false).await {
///     // ...
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FeatureFlags<S, C> {
    source: S,
    clock: C,
    cached: Cached<Option<Arc<Features>>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_valid: Option<Arc<Features>>,
    /// Message of the current problem, which has been logged.
    problem: Option<String>,
}

impl<S: FeatureFlagSource, C: Clock> FeatureFlags<S, C> {
    /// Creates feature flags with an empty cache. The schema is read again when it is older than `max_age`. Schedules are
    /// evaluated with `clock`.
    pub fn new(source: S, clock: C, max_age: Duration) -> Self {
        // If the last valid schema was discarded after some time, an outage of the source would change the behavior of the
        // function.
        let cached = Cached::new(max_age, Duration::MAX).back_off_without_value();
        Self { source, clock, cached, state: Mutex::default() }
    }

    /// Reads the schema during the init phase, so that the first invocation does not have to. A failure is logged, so call
    /// `ferrite_runtime::log::init` first.
    pub async fn prewarm(&self) {
        self.features().await;
    }

    /// Returns the schema to evaluate, or `None` if no valid schema has been read yet.
    async fn features(&self) -> Option<Arc<Features>> {
        let read = async || match self.source.read().await {
            Ok(json) => Ok(self.parse(&json)),
            Err(error) => {
                self.report("the feature flags cannot be read", &*error);
                Err(error)
            }
        };
        self.cached.get(system_time(self.clock.now()), |_| true, read).await.ok().flatten()
    }

    /// Returns the parsed schema, or the last valid one if this one is invalid.
    fn parse(&self, json: &str) -> Option<Arc<Features>> {
        match Features::from_json(json) {
            Ok(features) => {
                let mut state = self.state();
                if state.problem.take().is_some() {
                    tracing::info!(source = self.source.description(), "the feature flags can be read and are valid again");
                }
                state.last_valid = Some(Arc::new(features));
            }
            Err(error) => self.report("the feature flags are invalid", &error),
        }
        self.state().last_valid.clone()
    }

    /// Logs a problem, unless the last attempt had the same problem.
    fn report(&self, message: &str, error: &(dyn Error + 'static)) {
        let mut state = self.state();
        let problem = Some(error.to_string());
        if state.problem != problem {
            let consequence = match state.last_valid {
                Some(_) => "the last valid feature flags remain in use",
                None => "all features have the defaults in the code",
            };
            tracing::error!(error, source = self.source.description(), "{message}: {consequence}");
            state.problem = problem;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: FeatureFlagSource, C: Clock> EvaluateFlags for FeatureFlags<S, C> {
    async fn is_enabled(&self, name: &str, context: &EvaluationContext, default: bool) -> bool {
        let features = self.features().await;
        features.and_then(|features| features.is_enabled(name, context, self.clock.now())).unwrap_or(default)
    }

    async fn value<T: DeserializeOwned + Send>(&self, name: &str, context: &EvaluationContext, default: T) -> T {
        let Some(features) = self.features().await else { return default };
        match features.value_as(name, context, self.clock.now()) {
            Ok(value) => value.unwrap_or(default),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn Error,
                    feature = name,
                    "the value of the feature has another type than the code expects: the default in the code is used"
                );
                default
            }
        }
    }

    async fn enabled_features(&self, context: &EvaluationContext) -> Vec<String> {
        let Some(features) = self.features().await else { return Vec::new() };
        features.enabled(context, self.clock.now()).into_iter().map(str::to_owned).collect()
    }
}

fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(time.unix_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
