//! The conditions of a rule.

use serde_json::{Map, Value};

use super::comparison::{Number, contains, equals, order};
use super::schedule::{DateTimeRange, DaysOfWeek, TimeRange};
use super::schema::ConditionProblem;
use crate::Timestamp;

/// The names of the actions, in the order of Powertools' documentation.
pub(super) const ACTIONS: &str = "EQUALS, NOT_EQUALS, KEY_GREATER_THAN_VALUE, KEY_GREATER_THAN_OR_EQUAL_VALUE, \
    KEY_LESS_THAN_VALUE, KEY_LESS_THAN_OR_EQUAL_VALUE, STARTSWITH, ENDSWITH, IN, NOT_IN, KEY_IN_VALUE, KEY_NOT_IN_VALUE, \
    VALUE_IN_KEY, VALUE_NOT_IN_KEY, ALL_IN_VALUE, ANY_IN_VALUE, NONE_IN_VALUE, SCHEDULE_BETWEEN_TIME_RANGE, \
    SCHEDULE_BETWEEN_DATETIME_RANGE, SCHEDULE_BETWEEN_DAYS_OF_WEEK, MODULO_RANGE";

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Compares a property of the context with `value`.
    Compare {
        key: String,
        action: Comparison,
        value: Value,
    },
    /// Is true for a share of the values of a numeric property.
    Modulo {
        key: String,
        range: ModuloRange,
    },
    TimeRange(TimeRange),
    DateTimeRange(DateTimeRange),
    DaysOfWeek(DaysOfWeek),
}

/// An action that compares the property of the context (the key) with the value in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equals,
    NotEquals,
    KeyGreaterThanValue,
    KeyGreaterThanOrEqualValue,
    KeyLessThanValue,
    KeyLessThanOrEqualValue,
    StartsWith,
    EndsWith,
    KeyInValue,
    KeyNotInValue,
    ValueInKey,
    ValueNotInKey,
    AllInValue,
    AnyInValue,
    NoneInValue,
}

impl Condition {
    pub(super) fn parse(condition: &Value) -> Result<Self, ConditionProblem> {
        let condition = condition.as_object().ok_or(ConditionProblem::NotAnObject)?;
        let action = condition.get("action").unwrap_or(&Value::Null);
        let action = action.as_str().ok_or_else(|| ConditionProblem::unknown_action(action))?;
        let key = condition.get("key").and_then(Value::as_str).filter(|key| !key.is_empty());
        let key = key.ok_or(ConditionProblem::KeyMissing)?;
        let value = condition.get("value").filter(|value| !value.is_null()).ok_or(ConditionProblem::ValueMissing)?;
        let has_key = |expected| if key == expected { Ok(()) } else { Err(ConditionProblem::WrongKey { expected }) };
        let key = key.to_owned();
        Ok(match action {
            "SCHEDULE_BETWEEN_TIME_RANGE" => {
                has_key("CURRENT_TIME")?;
                Self::TimeRange(TimeRange::parse(value)?)
            }
            "SCHEDULE_BETWEEN_DATETIME_RANGE" => {
                has_key("CURRENT_DATETIME")?;
                Self::DateTimeRange(DateTimeRange::parse(value)?)
            }
            "SCHEDULE_BETWEEN_DAYS_OF_WEEK" => {
                has_key("CURRENT_DAY_OF_WEEK")?;
                Self::DaysOfWeek(DaysOfWeek::parse(value)?)
            }
            "MODULO_RANGE" => Self::Modulo { key, range: ModuloRange::parse(value)? },
            _ => {
                let comparison = Comparison::parse(action);
                let action = comparison.ok_or_else(|| ConditionProblem::unknown_action(&action.into()))?;
                if action.requires_list() && !value.is_array() {
                    return Err(ConditionProblem::ValueNotAList);
                }
                Self::Compare { key, action, value: value.clone() }
            }
        })
    }

    /// Returns whether the condition is true. It is false if the context has no property with this key, or if the property
    /// has a type for which the action is not defined.
    pub(super) fn matches(&self, context: &Map<String, Value>, now: Timestamp) -> bool {
        match self {
            Self::Compare { key, action, value } => {
                context.get(key).and_then(|property| action.compare(property, value)).unwrap_or_default()
            }
            Self::Modulo { key, range } => {
                context.get(key).and_then(Number::new).is_some_and(|property| range.contains(property))
            }
            Self::TimeRange(range) => range.contains(now),
            Self::DateTimeRange(range) => range.contains(now),
            Self::DaysOfWeek(days) => days.contains(now),
        }
    }
}

impl Comparison {
    fn parse(action: &str) -> Option<Self> {
        Some(match action {
            "EQUALS" => Self::Equals,
            "NOT_EQUALS" => Self::NotEquals,
            "KEY_GREATER_THAN_VALUE" => Self::KeyGreaterThanValue,
            "KEY_GREATER_THAN_OR_EQUAL_VALUE" => Self::KeyGreaterThanOrEqualValue,
            "KEY_LESS_THAN_VALUE" => Self::KeyLessThanValue,
            "KEY_LESS_THAN_OR_EQUAL_VALUE" => Self::KeyLessThanOrEqualValue,
            "STARTSWITH" => Self::StartsWith,
            "ENDSWITH" => Self::EndsWith,
            "IN" | "KEY_IN_VALUE" => Self::KeyInValue,
            "NOT_IN" | "KEY_NOT_IN_VALUE" => Self::KeyNotInValue,
            "VALUE_IN_KEY" => Self::ValueInKey,
            "VALUE_NOT_IN_KEY" => Self::ValueNotInKey,
            "ALL_IN_VALUE" => Self::AllInValue,
            "ANY_IN_VALUE" => Self::AnyInValue,
            "NONE_IN_VALUE" => Self::NoneInValue,
            _ => return None,
        })
    }

    fn requires_list(self) -> bool {
        matches!(self, Self::AllInValue | Self::AnyInValue | Self::NoneInValue)
    }

    /// Compares a property of the context with the value in the schema. Returns `None` if the action is not defined for
    /// their types.
    fn compare(self, property: &Value, value: &Value) -> Option<bool> {
        let is_in_value = |item: &Value| contains(value, item) == Some(true);
        Some(match self {
            Self::Equals => equals(property, value),
            Self::NotEquals => !equals(property, value),
            Self::KeyGreaterThanValue => order(property, value)?.is_gt(),
            Self::KeyGreaterThanOrEqualValue => order(property, value)?.is_ge(),
            Self::KeyLessThanValue => order(property, value)?.is_lt(),
            Self::KeyLessThanOrEqualValue => order(property, value)?.is_le(),
            Self::StartsWith => property.as_str()?.starts_with(value.as_str()?),
            Self::EndsWith => property.as_str()?.ends_with(value.as_str()?),
            Self::KeyInValue => contains(value, property)?,
            Self::KeyNotInValue => !contains(value, property)?,
            Self::ValueInKey => contains(property, value)?,
            Self::ValueNotInKey => !contains(property, value)?,
            Self::AllInValue => property.as_array()?.iter().all(is_in_value),
            Self::AnyInValue => property.as_array()?.iter().any(is_in_value),
            Self::NoneInValue => !property.as_array()?.iter().any(is_in_value),
        })
    }
}

/// The numbers whose remainder is between two bounds, both included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModuloRange {
    base: i128,
    start: i128,
    end: i128,
}

impl ModuloRange {
    fn parse(value: &Value) -> Result<Self, ConditionProblem> {
        let bounds = value.as_object().ok_or(ConditionProblem::NotAModuloRange)?;
        let bound = |name: &str| match bounds.get(name).and_then(Number::new) {
            Some(Number::Integer(bound)) => Ok(bound),
            _ => Err(ConditionProblem::NotAModuloRange),
        };
        let range = Self { base: bound("BASE")?, start: bound("START")?, end: bound("END")? };
        let is_ordered = 0 <= range.start && range.start <= range.end && range.end < range.base;
        if is_ordered { Ok(range) } else { Err(ConditionProblem::ModuloRangeNotOrdered) }
    }

    fn contains(&self, number: Number) -> bool {
        let remainder = number.modulo(self.base);
        Number::Integer(self.start).compare(remainder).is_le() && remainder.compare(Number::Integer(self.end)).is_le()
    }
}
