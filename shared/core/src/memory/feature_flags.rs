//! Feature flags that a test sets.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Timestamp;
use crate::contract::now;
use crate::feature_flags::{EvaluationContext, Features, SchemaError};
use crate::ports::EvaluateFlags;

/// Feature flags in memory. Without any features, handlers get their own defaults.
///
/// ```
/// use ferrite_core::feature_flags::EvaluationContext;
/// use ferrite_core::memory::MemoryFeatureFlags;
/// use ferrite_core::ports::EvaluateFlags;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let flags = MemoryFeatureFlags::default().with("shared_notes", true);
/// assert!(flags.is_enabled("shared_notes", &EvaluationContext::new(), false).await);
/// assert!(!flags.is_enabled("archive", &EvaluationContext::new(), false).await);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryFeatureFlags {
    features: Features,
    now: Timestamp,
}

impl Default for MemoryFeatureFlags {
    fn default() -> Self {
        Self { features: Features::default(), now: now() }
    }
}

impl MemoryFeatureFlags {
    /// Evaluates this schema at this time.
    ///
    /// # Errors
    /// Returns an error if the schema is invalid.
    pub fn from_json(json: &str, now: Timestamp) -> Result<Self, SchemaError> {
        Ok(Self { features: Features::from_json(json)?, now })
    }

    /// Adds a feature that has this value for every context.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.features.set(name.to_owned(), value.into());
        self
    }
}

impl EvaluateFlags for MemoryFeatureFlags {
    async fn is_enabled(&self, name: &str, context: &EvaluationContext, default: bool) -> bool {
        self.features.is_enabled(name, context, self.now).unwrap_or(default)
    }

    async fn value<T: DeserializeOwned + Send>(&self, name: &str, context: &EvaluationContext, default: T) -> T {
        self.features.value_as(name, context, self.now).ok().flatten().unwrap_or(default)
    }

    async fn enabled_features(&self, context: &EvaluationContext) -> Vec<String> {
        self.features.enabled(context, self.now).into_iter().map(str::to_owned).collect()
    }
}
