//! A function's configuration: read from the environment once, in init, where a mistake stops the function with the
//! name of the variable.

use std::env;
use std::str::FromStr;

/// A variable of the environment that the function cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// Its value cannot be used.
    #[error("the environment variable {name} cannot be used: {why}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What is wrong with its value, without the value: it may be a secret.
        why: String,
    },
}

/// The variable's value.
///
/// # Errors
/// It is not set, empty, or not Unicode.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// The variable's value, or `None` when it is not set or empty: a SAM template cannot leave a variable out, only empty.
pub fn optional(name: &'static str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable's value as a `T`, or `default` when it is not set or empty.
///
/// # Errors
/// It is set to something that is no `T`.
pub fn parsed_or<T>(name: &'static str, default: T) -> Result<T, ConfigError>
where
    T: FromStr<Err: std::fmt::Display>,
{
    optional(name).map_or(Ok(default), |value| {
        value.parse().map_err(|error: T::Err| ConfigError::Malformed { name, why: error.to_string() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            required("FERRITE_NO_SUCH").unwrap_err().to_string(),
            "the environment variable FERRITE_NO_SUCH is not set"
        );
    }

    #[test]
    fn what_is_malformed_is_named_and_not_shown() {
        let error = parsed_or::<u32>("PATH", 1).unwrap_err().to_string();
        assert!(error.starts_with("the environment variable PATH cannot be used"), "{error}");
        assert!(!error.contains('/'), "{error}");
        assert_eq!(parsed_or("FERRITE_NO_SUCH", 600), Ok(600));
    }
}
