//! The function's settings, read once in init.

use std::num::NonZeroU64;

use ferrite_runtime::config::{self, ConfigError};
use serde::Deserialize;

use crate::key_cache::Lifetimes;
use crate::token::Expected;
use crate::url::JwksUri;

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

/// What stands in the environment.
#[derive(Deserialize)]
struct Variables {
    jwks_url: Option<JwksUri>,
    jwks_parameter: Option<String>,
    jwt_issuer: String,
    jwt_audience: String,
    jwks_ttl_seconds: Option<NonZeroU64>,
    jwks_max_stale_seconds: Option<NonZeroU64>,
}

impl Settings {
    /// Reads the settings through `variable`, which answers with the value of a variable that is set.
    ///
    /// # Errors
    /// The settings do not make sense; the variable is named.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let set: Variables = config::read_from(variable)?;
        let source = match (set.jwks_url, set.jwks_parameter) {
            (Some(url), None) => KeySource::Url(url),
            (None, Some(name)) => KeySource::Parameter(name),
            _ => {
                let why = "exactly one of the environment variables JWKS_URL and JWKS_PARAMETER must be set";
                return Err(ConfigError::Contradiction(why.to_owned()));
            }
        };
        let seconds = |name, set: Option<NonZeroU64>, default| match set.map_or(default, NonZeroU64::get) {
            seconds @ 1..=DAY_SECONDS => Ok(seconds),
            _ => Err(ConfigError::malformed(name, format_args!("it must be from 1 to {DAY_SECONDS} seconds"))),
        };
        Ok(Self {
            source,
            expected: Expected { issuer: set.jwt_issuer, audience: set.jwt_audience },
            lifetimes: Lifetimes {
                ttl_seconds: seconds("JWKS_TTL_SECONDS", set.jwks_ttl_seconds, 600)?,
                max_stale_seconds: seconds("JWKS_MAX_STALE_SECONDS", set.jwks_max_stale_seconds, DAY_SECONDS)?,
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
