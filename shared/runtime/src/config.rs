//! A function's configuration: one struct, read from the environment once, in init, where a mistake stops the function
//! with the name of the variable.
//!
//! A field is the variable of the same name in capitals. One that may be left out is an [`Option`], or has a
//! `#[serde(default)]`; a SAM template cannot leave a variable out, so an empty one counts as left out. Any type with a
//! `Deserialize` from text or from a number will do, the domain's newtypes among them.
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
//! let set = |name: &str| (name == "TABLE_NAME").then(|| "notes".to_owned());
//! let settings: Settings = config::read_from(set)?;
//! assert_eq!((settings.table_name.as_str(), settings.retries), ("notes", 0));
//!
//! let nothing: Result<Settings, _> = config::read_from(|_| None);
//! assert_eq!(nothing.unwrap_err().to_string(), "the environment variable TABLE_NAME is not set");
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! A secret is no variable: everyone who may see the function's configuration sees those. It is a parameter that init
//! reads by its name (`ferrite_aws::Parameters`), and what holds it does not show it (`secrecy::SecretString`).

use std::env;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::StringDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A variable of the environment that the function cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(String),
    /// Its value cannot be used. The value is not told: it may be a secret that was put into the wrong place.
    #[error("the environment variable {name} cannot be used: {why}")]
    Malformed {
        /// The variable.
        name: String,
        /// What its value has to be.
        why: String,
    },
    /// The settings do not fit together, as the sentence says.
    #[error("{0}")]
    Contradiction(String),
}

impl ConfigError {
    /// The value of `name` cannot be used; `why` must not repeat it.
    pub fn malformed(name: impl Into<String>, why: impl Display) -> Self {
        Self::Malformed { name: name.into(), why: why.to_string() }
    }
}

/// The function's settings, from its environment.
///
/// # Errors
/// A variable that `T` needs is not set, or its value is none that `T` takes.
pub fn read<T: DeserializeOwned>() -> Result<T, ConfigError> {
    read_from(|name| env::var(name).ok())
}

/// The function's settings, from whatever `variable` answers for a name: [`read`] for tests.
///
/// # Errors
/// As [`read`].
pub fn read_from<T: DeserializeOwned>(variable: impl Fn(&str) -> Option<String>) -> Result<T, ConfigError> {
    T::deserialize(Environment(|name: &str| variable(name).filter(|value| !value.is_empty())))
}

/// Gives a struct the variables that its fields are named after.
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
        Err(de::Error::custom("settings are a struct with a field for each variable"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Those of a struct's fields whose variables are set, one after another.
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
            ConfigError::Contradiction(why) => ConfigError::Malformed { name, why },
            known => known,
        })
    }
}

/// The value of one variable.
struct Variable(String);

impl Variable {
    fn parsed<T: FromStr>(&self, kind: &str) -> Result<T, ConfigError> {
        self.0.parse().map_err(|_| de::Error::custom(format_args!("it must be {kind}")))
    }
}

macro_rules! parse {
    ($($method:ident $visit:ident $kind:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
            visitor.$visit(self.parsed($kind)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Variable {
    type Error = ConfigError;

    parse! {
        deserialize_bool visit_bool "true or false",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_u8 visit_u8 "a whole number from 0 to 255",
        deserialize_u16 visit_u16 "a whole number from 0 to 65535",
        deserialize_u32 visit_u32 "a whole number from 0 to 4294967295",
        deserialize_u64 visit_u64 "a whole number from 0",
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
        Self::Contradiction(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_ascii_uppercase())
    }

    // The default would repeat the value.
    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Contradiction(format!("it must be {expected}"))
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Contradiction(format!("it must be {expected}"))
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
    enum Colour {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Settings {
        table_name: String,
        queue_url: Option<String>,
        limit: Option<u8>,
        quantity: Option<Quantity>,
        colour: Option<Colour>,
    }

    fn read_with(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        read_from(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_is_the_variable_of_its_name() {
        let set = [("TABLE_NAME", "t"), ("LIMIT", "7"), ("QUANTITY", "2"), ("COLOUR", "blue"), ("QUEUE_URL", "")];
        let settings = read_with(&set).unwrap();
        let (limit, quantity) = (Some(7), Some(Quantity(2)));
        let wanted = Settings { table_name: "t".to_owned(), queue_url: None, limit, quantity, colour: Some(Colour::Blue) };
        assert_eq!(settings, wanted);
    }

    #[test]
    fn what_is_missing_or_empty_is_named() {
        for set in [&[][..], &[("TABLE_NAME", "")]] {
            assert_eq!(read_with(set).unwrap_err(), "the environment variable TABLE_NAME is not set");
        }
    }

    #[test]
    fn what_is_malformed_is_named_and_not_shown() {
        for (name, why) in [
            ("LIMIT", "it must be a whole number from 0 to 255"),
            ("QUANTITY", "it must be a whole number from 0"),
            ("COLOUR", "it must be one of red, blue"),
        ] {
            let error = read_with(&[("TABLE_NAME", "t"), (name, "s3cret")]).unwrap_err();
            assert_eq!(error, format!("the environment variable {name} cannot be used: {why}"));
        }
        let error = read_with(&[("TABLE_NAME", "t"), ("QUANTITY", "0")]).unwrap_err();
        assert_eq!(error, "the environment variable QUANTITY cannot be used: must be between 1 and 1000");
    }
}
