//! Parses and validates schemas.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::comparison::is_truthy;
use super::condition::{ACTIONS, Condition};
use super::{Feature, Rule};
use crate::json;

/// Reason why a schema is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not JSON, or an object has a duplicate key.
    #[error("the feature flags are not valid JSON")]
    Json(#[source] serde_json::Error),
    /// The JSON value is not an object.
    #[error("the feature flags must be a JSON object whose keys are the names of the features")]
    NotAnObject,
    /// A feature is invalid.
    #[error("feature {feature:?}: {problem}")]
    Feature {
        /// Name of the feature.
        feature: String,
        /// What is wrong with it.
        problem: FeatureProblem,
    },
    /// A rule is invalid.
    #[error("feature {feature:?}, rule {rule:?}: {problem}")]
    Rule {
        /// Name of the feature.
        feature: String,
        /// Name of the rule.
        rule: String,
        /// What is wrong with the rule.
        problem: RuleProblem,
    },
    /// A condition is invalid.
    #[error("feature {feature:?}, rule {rule:?}, condition {number}: {problem}")]
    Condition {
        /// Name of the feature.
        feature: String,
        /// Name of the rule.
        rule: String,
        /// Position in the rule, starting at 1.
        number: usize,
        /// What is wrong with the condition.
        problem: ConditionProblem,
    },
}

/// What is wrong with a feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureProblem {
    /// The feature is not an object, or is empty.
    #[error("must be an object with a `default`")]
    NotAnObject,
    /// The default is missing or `null`.
    #[error("`default` is missing")]
    NoDefault,
    /// The default is not a Boolean.
    #[error("`default` must be true or false; features with other values need \"boolean_type\": false")]
    DefaultNotBoolean,
    /// The rules are not an object.
    #[error("`rules` must be an object whose keys are the names of the rules")]
    RulesNotAnObject,
    /// A rule has no name.
    #[error("the name of a rule must not be empty")]
    UnnamedRule,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// The rule is not an object, or is empty.
    #[error("must be an object with `when_match` and `conditions`")]
    NotAnObject,
    /// The value is not a Boolean.
    #[error("`when_match` must be true or false; features with other values need \"boolean_type\": false")]
    WhenMatchNotBoolean,
    /// There are no conditions.
    #[error("`conditions` must be a list with at least one condition")]
    NoConditions,
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionProblem {
    /// The condition is not an object.
    #[error("must be an object with `action`, `key` and `value`")]
    NotAnObject,
    /// The action is missing or unknown.
    #[error("`action` must be one of {ACTIONS}, not {0}")]
    UnknownAction(String),
    /// The key is missing or not text.
    #[error("`key` must be text that is not empty")]
    KeyMissing,
    /// The action requires another key.
    #[error("the `key` of this action must be {expected}")]
    WrongKey {
        /// The required key.
        expected: &'static str,
    },
    /// The value is missing or `null`.
    #[error("`value` is missing")]
    ValueMissing,
    /// The action requires a list.
    #[error("the `value` of this action must be a list")]
    ValueNotAList,
    /// The value of `SCHEDULE_BETWEEN_TIME_RANGE` is invalid.
    #[error("`value` must have `START` and `END` in the format HH:MM, from 00:00 to 23:59")]
    NotATimeRange,
    /// The value of `SCHEDULE_BETWEEN_DATETIME_RANGE` is invalid.
    #[error(
        "`value` must have `START` and `END` in the format YYYY-MM-DDTHH:MM:SS, without an offset; `TIMEZONE` sets the time \
         zone"
    )]
    NotADateTimeRange,
    /// The value of `SCHEDULE_BETWEEN_DAYS_OF_WEEK` is invalid.
    #[error("`value` must have `DAYS`, a list of days from MONDAY to SUNDAY in capital letters")]
    NotDaysOfWeek,
    /// The time zone is not in the IANA database.
    #[error("`TIMEZONE` must be the name of an IANA time zone, such as Europe/Berlin, not {0}")]
    UnknownTimeZone(String),
    /// The value of `MODULO_RANGE` is invalid.
    #[error("`value` must have the integers `BASE`, `START` and `END`")]
    NotAModuloRange,
    /// The bounds of `MODULO_RANGE` are not in order.
    #[error("`value` must satisfy 0 <= START <= END < BASE")]
    ModuloRangeNotOrdered,
}

impl ConditionProblem {
    pub(super) fn unknown_action(action: &Value) -> Self {
        Self::UnknownAction(action.to_string())
    }

    pub(super) fn unknown_time_zone(name: &str) -> Self {
        Self::UnknownTimeZone(format!("{name:?}"))
    }
}

/// The entries of an object in the order of the text. The maps of `serde_json` sort them.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut found = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    found.push(entry);
                }
                Ok(Entries(found))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The part of a feature whose order matters.
#[derive(Deserialize)]
struct Rules<'a> {
    #[serde(borrow)]
    rules: &'a RawValue,
}

pub(super) fn parse(json: &str) -> Result<Vec<Feature>, SchemaError> {
    let json = json::check(json).map_err(SchemaError::Json)?;
    let features: Entries<'_> = serde_json::from_str(json).map_err(|_| SchemaError::NotAnObject)?;
    features.0.into_iter().map(|(name, feature)| parse_feature(name, feature)).collect()
}

fn parse_feature(name: String, json: &RawValue) -> Result<Feature, SchemaError> {
    let invalid = |problem| SchemaError::Feature { feature: name.clone(), problem };
    let feature: Value = serde_json::from_str(json.get()).map_err(SchemaError::Json)?;
    let feature = feature.as_object().filter(|feature| !feature.is_empty());
    let feature = feature.ok_or_else(|| invalid(FeatureProblem::NotAnObject))?;
    let default = feature.get("default").filter(|default| !default.is_null());
    let default = default.ok_or_else(|| invalid(FeatureProblem::NoDefault))?;
    let is_boolean = feature.get("boolean_type").is_none_or(is_truthy);
    if is_boolean && !default.is_boolean() {
        return Err(invalid(FeatureProblem::DefaultNotBoolean));
    }
    let mut rules = Vec::new();
    if feature.get("rules").is_some_and(is_truthy) {
        let not_an_object = |_| invalid(FeatureProblem::RulesNotAnObject);
        let Rules { rules: json } = serde_json::from_str(json.get()).map_err(SchemaError::Json)?;
        let entries: Entries<'_> = serde_json::from_str(json.get()).map_err(not_an_object)?;
        for (rule_name, rule) in entries.0 {
            if rule_name.is_empty() {
                return Err(invalid(FeatureProblem::UnnamedRule));
            }
            rules.push(parse_rule(&name, &rule_name, rule, is_boolean)?);
        }
    }
    Ok(Feature { default: default.clone(), rules, name })
}

fn parse_rule(feature: &str, rule: &str, json: &RawValue, is_boolean: bool) -> Result<Rule, SchemaError> {
    let invalid = |problem| SchemaError::Rule { feature: feature.to_owned(), rule: rule.to_owned(), problem };
    let invalid_condition = |index: usize, problem| {
        let (feature, rule) = (feature.to_owned(), rule.to_owned());
        SchemaError::Condition { feature, rule, number: index + 1, problem }
    };
    let content: Value = serde_json::from_str(json.get()).map_err(SchemaError::Json)?;
    let content = content.as_object().filter(|rule| !rule.is_empty()).ok_or_else(|| invalid(RuleProblem::NotAnObject))?;
    let when_match = content.get("when_match").unwrap_or(&Value::Null);
    if is_boolean && !when_match.is_boolean() {
        return Err(invalid(RuleProblem::WhenMatchNotBoolean));
    }
    let conditions = content.get("conditions").and_then(Value::as_array).filter(|conditions| !conditions.is_empty());
    let conditions = conditions.ok_or_else(|| invalid(RuleProblem::NoConditions))?.iter().enumerate();
    let conditions = conditions
        .map(|(index, condition)| Condition::parse(condition).map_err(|problem| invalid_condition(index, problem)))
        .collect::<Result<_, _>>()?;
    Ok(Rule { when_match: when_match.clone(), conditions })
}
