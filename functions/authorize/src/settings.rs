//! The function's settings, read once during initialization.

use std::num::NonZeroU64;

use ferrite_runtime::config::{self, ConfigError};
use serde::Deserialize;

use crate::key_cache::Lifetimes;
use crate::permissions::{Permissions, PermissionsClaim, ScopeMap};
use crate::token::{AudienceClaim, TokenRules};
use crate::url::JwksUrl;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The validated settings.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) source: KeySource,
    pub(crate) token_rules: TokenRules,
    pub(crate) lifetimes: Lifetimes,
}

/// The source of the JWK Set.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// An identity provider's `jwks_uri`.
    Url(JwksUrl),
    /// The name of an SSM parameter.
    Parameter(String),
}

/// The environment variables.
#[derive(Deserialize)]
struct Variables {
    jwks_url: Option<JwksUrl>,
    jwks_parameter: Option<String>,
    jwt_issuer: String,
    jwt_audience: String,
    #[serde(default)]
    jwt_audience_claim: AudienceClaim,
    #[serde(default)]
    jwt_permissions_claim: PermissionsClaim,
    jwt_scopes: Option<ScopeMap>,
    jwks_ttl_seconds: Option<NonZeroU64>,
    jwks_max_stale_seconds: Option<NonZeroU64>,
}

impl Settings {
    /// Reads the settings with `lookup`, which returns the value of an environment variable, or `None` if it is not set.
    ///
    /// # Errors
    /// Returns an error if a variable is missing or invalid, or if both or neither of the key sources are set. The
    /// error names the variables.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables: Variables = config::read_from(lookup)?;
        let source = match (variables.jwks_url, variables.jwks_parameter) {
            (Some(url), None) => KeySource::Url(url),
            (None, Some(name)) => KeySource::Parameter(name),
            _ => {
                let message = "exactly one of the environment variables JWKS_URL and JWKS_PARAMETER must be set";
                return Err(ConfigError::Inconsistent(message.to_owned()));
            }
        };
        let validate_seconds = |name, value: Option<NonZeroU64>, default| match value.map_or(default, NonZeroU64::get) {
            seconds @ 1..=DAY_SECONDS => Ok(seconds),
            _ => Err(ConfigError::invalid(name, format_args!("it must be between 1 and {DAY_SECONDS} seconds"))),
        };
        let audiences: Vec<String> = variables.jwt_audience.split(',').map(str::to_owned).collect();
        // An empty entry would accept tokens with an empty audience.
        if audiences.iter().any(|audience| audience.is_empty() || audience.trim() != audience) {
            let reason = "it must be a list of audiences separated by commas, without spaces around them";
            return Err(ConfigError::invalid("JWT_AUDIENCE", reason));
        }
        Ok(Self {
            source,
            token_rules: TokenRules {
                issuer: variables.jwt_issuer,
                audiences,
                audience_claim: variables.jwt_audience_claim,
                permissions: Permissions { claim: variables.jwt_permissions_claim, scopes: variables.jwt_scopes },
            },
            lifetimes: Lifetimes {
                ttl_seconds: validate_seconds("JWKS_TTL_SECONDS", variables.jwks_ttl_seconds, 600)?,
                max_stale_seconds: validate_seconds(
                    "JWKS_MAX_STALE_SECONDS",
                    variables.jwks_max_stale_seconds,
                    DAY_SECONDS,
                )?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: (&str, &str) = ("JWKS_PARAMETER", "/ferrite/jwks");
    const ISSUER: (&str, &str) = ("JWT_ISSUER", "https://issuer.example/");
    const AUDIENCE: (&str, &str) = ("JWT_AUDIENCE", "notes-api");

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let variable = variables.iter().find(|(key, _)| *key == name);
            variable.map(|(_, value)| (*value).to_owned())
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn uses_default_lifetimes() {
        let settings = read(&[PARAMETER, ISSUER, AUDIENCE]).unwrap();
        assert_eq!(settings.lifetimes.ttl_seconds, 600);
        assert_eq!(settings.lifetimes.max_stale_seconds, 86_400);
    }

    #[test]
    fn requires_exactly_one_key_source() {
        let url = ("JWKS_URL", "https://issuer.example/keys");
        for variables in [vec![ISSUER, AUDIENCE], vec![PARAMETER, url, ISSUER, AUDIENCE]] {
            let error = read(&variables).unwrap_err();
            assert!(error.contains("JWKS_URL") && error.contains("JWKS_PARAMETER"), "{error}");
        }
        assert!(read(&[url, ISSUER, AUDIENCE]).is_ok());
    }

    #[test]
    fn names_a_missing_variable() {
        assert!(read(&[PARAMETER, AUDIENCE]).unwrap_err().contains("JWT_ISSUER"));
        assert!(read(&[PARAMETER, ISSUER]).unwrap_err().contains("JWT_AUDIENCE"));
    }

    #[test]
    fn rejects_an_invalid_max_stale_time() {
        for seconds in ["86401", "0", "-1", "1h"] {
            let stale = ("JWKS_MAX_STALE_SECONDS", seconds);
            let error = read(&[PARAMETER, ISSUER, AUDIENCE, stale]).unwrap_err();
            assert!(error.contains("JWKS_MAX_STALE_SECONDS"), "{error}");
        }
    }

    #[test]
    fn names_an_invalid_variable() {
        for (name, value) in [
            ("JWT_AUDIENCE", "notes-api,"),
            ("JWT_AUDIENCE", "notes-api, other"),
            ("JWT_AUDIENCE_CLAIM", "sub"),
            ("JWT_AUDIENCE_CLAIM", "aud,azp"),
            ("JWT_PERMISSIONS_CLAIM", "app_metadata.roles"),
            ("JWT_PERMISSIONS_CLAIM", "scope permissions"),
            ("JWT_SCOPES", "owner"),
            ("JWT_SCOPES", "owner=notes:write,"),
        ] {
            let variables: Vec<_> = [PARAMETER, ISSUER, AUDIENCE].into_iter().filter(|(other, _)| *other != name).collect();
            let error = read(&[variables, vec![(name, value)]].concat()).unwrap_err();
            assert!(error.contains(name) && !error.contains(value), "{name} {value}: {error}");
        }
    }

    #[test]
    fn rejects_an_insecure_url() {
        let url = ("JWKS_URL", "http://issuer.example/keys");
        let error = read(&[url, ISSUER, AUDIENCE]).unwrap_err();
        assert!(error.contains("JWKS_URL"), "{error}");
    }
}
