//! Feature flags in the schema of [Powertools for AWS Lambda](https://docs.aws.amazon.com/powertools/python/latest/utilities/feature_flags/).
//!
//! A schema is a JSON object. Each feature has a default and rules, and each rule has conditions. The first rule whose
//! conditions all match determines the value of the feature. This module evaluates schemas exactly as Powertools for AWS
//! Lambda (Python) does. `FeatureFlags` in `ferrite-aws` reads the schema from AWS.
//!
//! ```
//! use ferrite_core::Timestamp;
//! use ferrite_core::feature_flags::{EvaluationContext, Features};
//!
//! let features = Features::from_json(r#"{
//!     "shared_notes": {
//!         "default": false,
//!         "rules": {
//!             "premium users on weekends in Berlin": {
//!                 "when_match": true,
//!                 "conditions": [
//!                     {"action": "EQUALS", "key": "tier", "value": "premium"},
//!                     {
//!                         "action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK",
//!                         "key": "CURRENT_DAY_OF_WEEK",
//!                         "value": {"DAYS": ["SATURDAY", "SUNDAY"], "TIMEZONE": "Europe/Berlin"}
//!                     }
//!                 ]
//!             }
//!         }
//!     }
//! }"#)?;
//! let premium = EvaluationContext::new().with("tier", "premium");
//! let friday: Timestamp = "2026-11-20T22:59:00Z".parse()?;
//! let saturday: Timestamp = "2026-11-20T23:00:00Z".parse()?;
//! assert_eq!(features.is_enabled("shared_notes", &premium, friday), Some(false));
//! assert_eq!(features.is_enabled("shared_notes", &premium, saturday), Some(true));
//! assert_eq!(features.is_enabled("removed_feature", &premium, saturday), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Differences from Powertools
//!
//! Powertools accepts these schemas, and this module rejects them with an error:
//! - objects with duplicate keys,
//! - values of `TIMEZONE` that are not names of the IANA time zone database, such as `UTC+3`,
//! - dates in `START` and `END` of a date and time range in the week format, such as `2026-W47-7`,
//! - `NaN` and `Infinity`, which are not JSON.
//!
//! Powertools raises an exception for the list of enabled features if a feature is disabled and its `rules` are `null` or
//! another empty value that is not an object. This module treats such a feature as one without rules.
//!
//! Integers of 2^64 and more, and of less than -2^63, are rounded to floating-point numbers.

mod comparison;
mod condition;
mod schedule;
mod schema;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::condition::Condition;
pub use self::schema::{ConditionProblem, FeatureProblem, RuleProblem, SchemaError};
use crate::Timestamp;

/// The properties of a request that conditions refer to, such as the tier of the user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluationContext(Map<String, Value>);

impl EvaluationContext {
    /// Creates a context without properties.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property. It replaces a property with the same key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}

impl From<Map<String, Value>> for EvaluationContext {
    fn from(properties: Map<String, Value>) -> Self {
        Self(properties)
    }
}

/// The features of a schema, in the order of the JSON text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features(Vec<Feature>);

#[derive(Debug, Clone, PartialEq)]
struct Feature {
    name: String,
    default: Value,
    /// In the order of the JSON text, because the first match counts.
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    when_match: Value,
    conditions: Vec<Condition>,
}

impl Features {
    /// Parses and validates a schema.
    ///
    /// # Errors
    /// Returns an error if the text is not JSON or does not conform to the schema. The message names the feature, the rule
    /// and the condition.
    pub fn from_json(json: &str) -> Result<Self, SchemaError> {
        schema::parse(json).map(Self)
    }

    /// Returns the value of a feature for this context at this time, or `None` if the schema does not contain the feature.
    /// Unless the feature has `"boolean_type": false`, the value is a Boolean.
    #[must_use]
    pub fn value(&self, name: &str, context: &EvaluationContext, now: Timestamp) -> Option<&Value> {
        let feature = self.0.iter().find(|feature| feature.name == name)?;
        Some(feature.evaluate(context, now))
    }

    /// Returns the value of a feature as a type; see [`Self::value`].
    ///
    /// # Errors
    /// Returns an error if the value does not have this type.
    pub fn value_as<T: DeserializeOwned>(
        &self,
        name: &str,
        context: &EvaluationContext,
        now: Timestamp,
    ) -> Result<Option<T>, serde_json::Error> {
        self.value(name, context, now).map(T::deserialize).transpose()
    }

    /// Returns whether a feature is enabled for this context at this time, or `None` if the schema does not contain the
    /// feature. A feature whose value is not a Boolean is disabled if the value is `null`, 0, or empty.
    #[must_use]
    pub fn is_enabled(&self, name: &str, context: &EvaluationContext, now: Timestamp) -> Option<bool> {
        self.value(name, context, now).map(comparison::is_truthy)
    }

    /// Returns the names of the enabled features, in the order of the schema.
    #[must_use]
    pub fn enabled(&self, context: &EvaluationContext, now: Timestamp) -> Vec<&str> {
        let is_enabled = |feature: &&Feature| comparison::is_truthy(feature.evaluate(context, now));
        self.0.iter().filter(is_enabled).map(|feature| feature.name.as_str()).collect()
    }

    /// Adds a feature without rules that has this value. It replaces a feature with the same name.
    #[cfg(feature = "testing")]
    pub(crate) fn set(&mut self, name: String, value: Value) {
        self.0.retain(|feature| feature.name != name);
        self.0.push(Feature { name, default: value, rules: Vec::new() });
    }
}

impl Feature {
    fn evaluate(&self, context: &EvaluationContext, now: Timestamp) -> &Value {
        let matches = |rule: &&Rule| rule.conditions.iter().all(|condition| condition.matches(&context.0, now));
        self.rules.iter().find(matches).map_or(&self.default, |rule| &rule.when_match)
    }
}

#[cfg(test)]
mod tests;
