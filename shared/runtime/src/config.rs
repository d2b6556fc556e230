//! Configuration from environment variables. A function reads its variables into one struct during init. If a variable
//! is missing or invalid, init fails with an error that names the variable.
//!
//! Each field is read from the variable with the same name in uppercase. Optional fields are an [`Option`] or have
//! `#[serde(default)]`. An empty variable counts as missing, because a SAM template cannot omit a variable. Fields can
//! have any type that implements `Deserialize` from a string or a number, including newtypes of the domain.
//!
//! ```
//! use ferrite_runtime::config::{self, ConfigError};
//!
//! #[derive(Debug, serde::Deserialize)]
//! struct Settings {
//!     table_name: String,
//!     #[serde(default)]
//!     retries: u8,
//! }
//!
//! let variables = |name: &str| (name == "TABLE_NAME").then(|| "notes".to_owned());
//! let settings: Settings = config::read_from(variables)?;
//! assert_eq!((settings.table_name.as_str(), settings.retries), ("notes", 0));
//!
//! let missing: Result<Settings, _> = config::read_from(|_| None);
//! assert_eq!(missing.unwrap_err().to_string(), "the environment variable TABLE_NAME is not set");
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! Do not store secrets in environment variables, because everyone with access to the function's configuration can read
//! them. Store a secret as a parameter that init reads by name (`ferrite_aws::Parameters`), in a type that does not
//! print it (`secrecy::SecretString`).

use std::env;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::StringDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// An error in the function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The variable is not set or is empty.
    #[error("the environment variable {0} is not set")]
    Missing(String),
    /// The value is invalid. The message does not contain the value, which could be a secret in the wrong variable.
    #[error("the environment variable {name} is not valid: {reason}")]
    Invalid {
        /// Name of the variable.
        name: String,
        /// Description of the expected value.
        reason: String,
    },
    /// The settings contradict each other. Contains the error message.
    #[error("{0}")]
    Inconsistent(String),
}

impl ConfigError {
    /// Creates an error for the invalid value of the variable `name`. `reason` must not contain the value.
    pub fn invalid(name: impl Into<String>, reason: impl Display) -> Self {
        Self::Invalid { name: name.into(), reason: reason.to_string() }
    }
}

/// Reads the function's settings from its environment variables.
///
/// # Errors
/// Returns an error if a required variable is not set, or if a value is invalid.
pub fn read<T: DeserializeOwned>() -> Result<T, ConfigError> {
    read_from(|name| env::var(name).ok())
}

/// Reads the function's settings with `variable`, which returns the value of a variable. Use it in tests.
///
/// # Errors
/// Returns an error in the same cases as [`read`].
pub fn read_from<T: DeserializeOwned>(variable: impl Fn(&str) -> Option<String>) -> Result<T, ConfigError> {
    T::deserialize(Environment(|name: &str| variable(name).filter(|value| !value.is_empty())))
}

/// Deserializes a struct from the variables that its fields are named after.
struct Environment<F>(F);

impl<'de, F: Fn(&str) -> Option<String>> Deserializer<'de> for Environment<F> {
    type Error = ConfigError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        visitor.visit_map(Fields { variable: self.0, fields: fields.iter(), next: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ConfigError> {
        Err(de::Error::custom("settings must be a struct with a field for each variable"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Iterates over the fields of a struct whose variables are set.
struct Fields<F> {
    variable: F,
    fields: std::slice::Iter<'static, &'static str>,
    next: Option<(String, String)>,
}

impl<'de, F: Fn(&str) -> Option<String>> MapAccess<'de> for Fields<F> {
    type Error = ConfigError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ConfigError> {
        for field in self.fields.by_ref() {
            let name = field.to_ascii_uppercase();
            if let Some(value) = (self.variable)(&name) {
                self.next = Some((name, value));
                return seed.deserialize(field.into_deserializer()).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ConfigError> {
        let (name, value) = self.next.take().unwrap_or_default();
        seed.deserialize(Variable(value)).map_err(|error| match error {
            ConfigError::Inconsistent(reason) => ConfigError::Invalid { name, reason },
            other => other,
        })
    }
}

/// The value of one variable.
struct Variable(String);

impl Variable {
    fn parse<T: FromStr>(&self, kind: &str) -> Result<T, ConfigError> {
        self.0.parse().map_err(|_| de::Error::custom(format_args!("it must be {kind}")))
    }
}

macro_rules! deserialize_with_from_str {
    ($($method:ident $visit:ident $kind:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
            visitor.$visit(self.parse($kind)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Variable {
    type Error = ConfigError;

    deserialize_with_from_str! {
        deserialize_bool visit_bool "true or false",
        deserialize_i64 visit_i64 "an integer",
        deserialize_u8 visit_u8 "an integer from 0 to 255",
        deserialize_u16 visit_u16 "an integer from 0 to 65535",
        deserialize_u32 visit_u32 "an integer from 0 to 4294967295",
        deserialize_u64 visit_u64 "a non-negative integer",
        deserialize_f64 visit_f64 "a number",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        if !variants.contains(&self.0.as_str()) {
            return Err(de::Error::custom(format_args!("it must be one of {}", variants.join(", "))));
        }
        let value: StringDeserializer<ConfigError> = self.0.into_deserializer();
        value.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_string(self.0)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

impl de::Error for ConfigError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Inconsistent(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_ascii_uppercase())
    }

    // The default message contains the value.
    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Inconsistent(format!("it must be {expected}"))
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Inconsistent(format!("it must be {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::ValueError;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(try_from = "u64")]
    struct Quantity(u64);

    impl TryFrom<u64> for Quantity {
        type Error = ValueError;

        fn try_from(count: u64) -> Result<Self, ValueError> {
            if (1..=1000).contains(&count) { Ok(Self(count)) } else { Err(ValueError::OutOfRange { min: 1, max: 1000 }) }
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Color {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Settings {
        table_name: String,
        queue_url: Option<String>,
        limit: Option<u8>,
        quantity: Option<Quantity>,
        color: Option<Color>,
    }

    fn read_with(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        read_from(value).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_each_field_from_its_variable() {
        let set = [("TABLE_NAME", "t"), ("LIMIT", "7"), ("QUANTITY", "2"), ("COLOR", "blue"), ("QUEUE_URL", "")];
        let settings = read_with(&set).unwrap();
        let expected = Settings {
            table_name: "t".to_owned(),
            queue_url: None,
            limit: Some(7),
            quantity: Some(Quantity(2)),
            color: Some(Color::Blue),
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn names_missing_and_empty_variables() {
        for set in [&[][..], &[("TABLE_NAME", "")]] {
            assert_eq!(read_with(set).unwrap_err(), "the environment variable TABLE_NAME is not set");
        }
    }

    #[test]
    fn names_invalid_variables_without_their_value() {
        for (name, reason) in [
            ("LIMIT", "it must be an integer from 0 to 255"),
            ("QUANTITY", "it must be a non-negative integer"),
            ("COLOR", "it must be one of red, blue"),
        ] {
            let error = read_with(&[("TABLE_NAME", "t"), (name, "s3cret")]).unwrap_err();
            assert_eq!(error, format!("the environment variable {name} is not valid: {reason}"));
        }
        let error = read_with(&[("TABLE_NAME", "t"), ("QUANTITY", "0")]).unwrap_err();
        assert_eq!(error, "the environment variable QUANTITY is not valid: must be between 1 and 1000");
    }
}
