//! The function's settings, read once in init.

use thiserror::Error;

use crate::key_cache::Lifetimes;
use crate::token::Expected;
use crate::url::{JwksUri, JwksUriError};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What the function needs to know before it can decide anything.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) source: KeySource,
    pub(crate) expected: Expected,
    pub(crate) lifetimes: Lifetimes,
}

/// Where the JWK Set is published.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// An identity provider's `jwks_uri`.
    Url(JwksUri),
    /// The name of an SSM parameter.
    Parameter(String),
}

/// A variable that is missing or does not mean anything. Names it.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("exactly one of JWKS_URL and JWKS_PARAMETER must be set")]
    KeySource,
    #[error("JWKS_URL {0}")]
    Url(#[from] JwksUriError),
    #[error("{name} must be a whole number of seconds, from 1 to {DAY_SECONDS}")]
    Seconds { name: &'static str },
}

impl Settings {
    /// Reads the settings through `variable`, which answers with a variable's value. An empty one counts as not set, as a
    /// template parameter left blank arrives empty.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| variable(name).ok_or(SettingsError::Missing(name));
        let seconds = |name, default| match variable(name).map(|value| value.parse()) {
            None => Ok(default),
            Some(Ok(seconds @ 1..=DAY_SECONDS)) => Ok(seconds),
            Some(_) => Err(SettingsError::Seconds { name }),
        };
        let source = match (variable("JWKS_URL"), variable("JWKS_PARAMETER")) {
            (Some(url), None) => KeySource::Url(url.parse()?),
            (None, Some(name)) => KeySource::Parameter(name),
            _ => return Err(SettingsError::KeySource),
        };
        Ok(Self {
            source,
            expected: Expected { issuer: required("JWT_ISSUER")?, audience: required("JWT_AUDIENCE")? },
            lifetimes: Lifetimes {
                ttl_seconds: seconds("JWKS_TTL_SECONDS", 600)?,
                max_stale_seconds: seconds("JWKS_MAX_STALE_SECONDS", DAY_SECONDS)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: (&str, &str) = ("JWKS_PARAMETER", "/ferrite/jwks");
    const ISSUER: (&str, &str) = ("JWT_ISSUER", "https://issuer.example/");
    const AUDIENCE: (&str, &str) = ("JWT_AUDIENCE", "storefront");

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let set = variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn lifetimes_have_defaults() {
        let settings = read(&[PARAMETER, ISSUER, AUDIENCE]).unwrap();
        assert_eq!(settings.lifetimes.ttl_seconds, 600);
        assert_eq!(settings.lifetimes.max_stale_seconds, 86_400);
    }

    #[test]
    fn exactly_one_key_source_is_set() {
        let neither = read(&[ISSUER, AUDIENCE]).unwrap_err();
        let url = ("JWKS_URL", "https://issuer.example/keys");
        let both = read(&[PARAMETER, url, ISSUER, AUDIENCE]).unwrap_err();
        assert_eq!(neither, "exactly one of JWKS_URL and JWKS_PARAMETER must be set");
        assert_eq!(both, neither);
        assert!(read(&[("JWKS_PARAMETER", ""), url, ISSUER, AUDIENCE]).is_ok());
    }

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        assert_eq!(read(&[PARAMETER, AUDIENCE]).unwrap_err(), "JWT_ISSUER is not set");
        let empty = read(&[PARAMETER, ISSUER, ("JWT_AUDIENCE", "")]).unwrap_err();
        assert_eq!(empty, "JWT_AUDIENCE is not set");
    }

    #[test]
    fn keys_never_outlive_a_day_without_a_fetch() {
        for seconds in ["86401", "0", "-1", "1h"] {
            let stale = ("JWKS_MAX_STALE_SECONDS", seconds);
            let error = read(&[PARAMETER, ISSUER, AUDIENCE, stale]).unwrap_err();
            assert!(error.starts_with("JWKS_MAX_STALE_SECONDS"), "{error}");
        }
    }

    #[test]
    fn a_url_that_anyone_could_answer_for_is_refused() {
        let url = ("JWKS_URL", "http://issuer.example/keys");
        let error = read(&[url, ISSUER, AUDIENCE]).unwrap_err();
        assert_eq!(error, "JWKS_URL must be https; http is for a loopback host only");
    }
}
