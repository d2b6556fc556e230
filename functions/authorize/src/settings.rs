//! The function's settings, read once in init.

use ferrite_runtime::config::ConfigError;
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

/// Settings that do not make sense. Names the variable.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    #[error("exactly one of the environment variables JWKS_URL and JWKS_PARAMETER must be set")]
    KeySource,
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Settings {
    /// Reads the settings through `variable`, which answers with the value of a variable that is set and not empty.
    pub(crate) fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, SettingsError> {
        let required = |name| variable(name).ok_or(ConfigError::Missing(name));
        let seconds = |name, default| match variable(name).map(|value| value.parse()) {
            None => Ok(default),
            Some(Ok(seconds @ 1..=DAY_SECONDS)) => Ok(seconds),
            Some(_) => Err(malformed(name, format!("not a whole number of seconds from 1 to {DAY_SECONDS}"))),
        };
        let source = match (variable("JWKS_URL"), variable("JWKS_PARAMETER")) {
            (Some(url), None) => {
                let uri = url.parse().map_err(|error: JwksUriError| malformed("JWKS_URL", error.to_string()))?;
                KeySource::Url(uri)
            }
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

fn malformed(name: &'static str, why: String) -> ConfigError {
    ConfigError::Malformed { name, why }
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
        let url = ("JWKS_URL", "https://issuer.example/keys");
        for variables in [vec![ISSUER, AUDIENCE], vec![PARAMETER, url, ISSUER, AUDIENCE]] {
            let error = read(&variables).unwrap_err();
            assert!(error.contains("JWKS_URL") && error.contains("JWKS_PARAMETER"), "{error}");
        }
        assert!(read(&[url, ISSUER, AUDIENCE]).is_ok());
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert!(read(&[PARAMETER, AUDIENCE]).unwrap_err().contains("JWT_ISSUER"));
        assert!(read(&[PARAMETER, ISSUER]).unwrap_err().contains("JWT_AUDIENCE"));
    }

    #[test]
    fn keys_never_outlive_a_day_without_a_fetch() {
        for seconds in ["86401", "0", "-1", "1h"] {
            let stale = ("JWKS_MAX_STALE_SECONDS", seconds);
            let error = read(&[PARAMETER, ISSUER, AUDIENCE, stale]).unwrap_err();
            assert!(error.contains("JWKS_MAX_STALE_SECONDS"), "{error}");
        }
    }

    #[test]
    fn a_url_that_anyone_could_answer_for_is_refused() {
        let url = ("JWKS_URL", "http://issuer.example/keys");
        let error = read(&[url, ISSUER, AUDIENCE]).unwrap_err();
        assert!(error.contains("JWKS_URL"), "{error}");
    }
}
