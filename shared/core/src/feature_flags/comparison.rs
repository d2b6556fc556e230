//! Comparisons of JSON values with the operators of Python, because the schema's actions are defined by them.
//!
//! `None` means that Python raises an exception, for example because it does not compare a number with text.

use std::cmp::Ordering;

use serde_json::Value;

/// A number as Python sees it: `True` is 1, and integers are exact.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// Returns the number in `value`, or `None` if it is not a number or Boolean.
    pub(super) fn new(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Integer(i128::from(*value))),
            Value::Number(number) => number.as_i128().map(Self::Integer).or_else(|| number.as_f64().map(Self::Float)),
            _ => None,
        }
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            // JSON has no NaN.
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Integer(a), Self::Float(b)) => compare_exactly(a, b),
            (Self::Float(a), Self::Integer(b)) => compare_exactly(b, a).reverse(),
        }
    }

    /// Returns the remainder of the division by a positive integer. It is not negative.
    pub(super) fn modulo(self, divisor: i128) -> Self {
        match self {
            Self::Integer(value) => Self::Integer(value.rem_euclid(divisor)),
            Self::Float(value) => {
                let divisor = divisor as f64;
                let remainder = value % divisor;
                Self::Float(if remainder < 0.0 { remainder + divisor } else { remainder })
            }
        }
    }
}

/// Compares without rounding the integer to a floating-point number. The integer has at most 64 bits.
fn compare_exactly(integer: i128, float: f64) -> Ordering {
    // This conversion saturates.
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}

/// `a == b`
pub(super) fn equals(a: &Value, b: &Value) -> bool {
    if let (Some(a), Some(b)) = (Number::new(a), Number::new(b)) {
        return a.compare(b).is_eq();
    }
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equals(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equals(a, b)))
        }
        _ => a == b,
    }
}

/// The order that `<`, `<=`, `>` and `>=` use.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        // The order of UTF-8 bytes is that of the code points.
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Array(a), Value::Array(b)) => match a.iter().zip(b).find(|(a, b)| !equals(a, b)) {
            Some((a, b)) => order(a, b),
            None => Some(a.len().cmp(&b.len())),
        },
        _ => Some(Number::new(a)?.compare(Number::new(b)?)),
    }
}

/// `item in container`
pub(super) fn contains(container: &Value, item: &Value) -> Option<bool> {
    match (container, item) {
        (Value::Array(items), _) => Some(items.iter().any(|other| equals(other, item))),
        (Value::String(text), Value::String(part)) => Some(text.contains(part.as_str())),
        (Value::Object(entries), Value::String(key)) => Some(entries.contains_key(key)),
        // Only text is a key in JSON. Lists and dictionaries cannot be keys in Python.
        (Value::Object(_), Value::Null | Value::Bool(_) | Value::Number(_)) => Some(false),
        _ => None,
    }
}

/// `bool(value)`
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}
