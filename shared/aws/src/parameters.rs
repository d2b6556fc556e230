//! Configuration that is not in the environment: parameters of Systems Manager and secrets of Secrets Manager.

mod json_call;
mod source;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use aws_types::sdk_config::SharedTimeSource;
use secrecy::SecretString;
use tokio::sync::Mutex;

pub use source::ParameterSource;

use crate::cached::{Cached, CachedError};

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// There is no such parameter or secret, or no value in it.
    #[error("there is no {name}")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// The role lacks a permission on it, or on the key that it is encrypted with.
    #[error("the function's role may not read {name}")]
    AccessDenied {
        /// What was asked for.
        name: String,
    },
    /// The secret holds bytes, not text.
    #[error("{name} is not text")]
    NotText {
        /// What was asked for.
        name: String,
    },
    /// AWS did not answer, or did not understand.
    #[error("{name} could not be read")]
    Unavailable {
        /// What was asked for.
        name: String,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads parameters and secrets, and caches each.
///
/// Requests that need a value at the same time wait for one call. When AWS cannot be reached, the last value stays in use for
/// at most [`Self::MAX_STALE`]; when AWS reports that the value is gone or the role may not read it, it does not.
///
/// ```no_run
/// use std::time::Duration;
///
/// use secrecy::ExposeSecret;
///
/// # async fn init() -> Result<(), Box<dyn std::error::Error>> {
/// let parameters = ferrite_aws::Parameters::new(&ferrite_aws::sdk_config()?, Duration::from_secs(300));
/// let url = parameters.parameter("/notes/gateway-url").await?;
/// let key = parameters.secret("notes/gateway-key").await?;
/// println!("{} is called with {key:?}", url.expose_secret()); // SecretBox<str>([REDACTED])
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Parameters {
    source: ParameterSource,
    clock: SharedTimeSource,
    lifetime: Duration,
    cached: Mutex<HashMap<Name, Arc<Cached<SecretString>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Parameter(String),
    Secret(String),
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Self::Parameter(name) | Self::Secret(name) => name,
        }
    }
}

impl Parameters {
    /// How long after it was read a value may be used while it cannot be read again, unless its lifetime is longer.
    pub const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Values are read again when they are older than `lifetime`, by the wall clock: a monotonic one may stand still while
    /// Lambda has the environment frozen. `config` is what [`sdk_config`](crate::sdk_config) made.
    pub fn new(config: &SdkConfig, lifetime: Duration) -> Self {
        let clock = config.time_source().unwrap_or_default();
        Self { source: ParameterSource::new(config), clock, lifetime, cached: Mutex::default() }
    }

    /// The parameter of this name or ARN; a `SecureString` is decrypted. The role needs `ssm:GetParameter` on it and, where
    /// it is encrypted under a key of one's own, `kms:Decrypt` on that.
    ///
    /// # Errors
    /// As [`ParameterError`] says.
    pub async fn parameter(&self, name: &str) -> Result<SecretString, ParameterError> {
        self.get(Name::Parameter(name.to_owned())).await
    }

    /// The current text of the secret of this name or ARN. The role needs `secretsmanager:GetSecretValue` on it and, where
    /// it is encrypted under a key of one's own, `kms:Decrypt` on that.
    ///
    /// # Errors
    /// As [`ParameterError`] says.
    pub async fn secret(&self, id: &str) -> Result<SecretString, ParameterError> {
        self.get(Name::Secret(id.to_owned())).await
    }

    async fn get(&self, name: Name) -> Result<SecretString, ParameterError> {
        let new = || Arc::new(Cached::new(self.lifetime, Self::MAX_STALE));
        let cached = Arc::clone(self.cached.lock().await.entry(name.clone()).or_insert_with(new));
        let is_outage = |error: &ParameterError| matches!(error, ParameterError::Unavailable { .. });
        let fetch = async || match &name {
            Name::Parameter(name) => self.source.parameter(name).await,
            Name::Secret(id) => self.source.secret(id).await,
        };
        cached.get(self.clock.now(), is_outage, fetch).await.map_err(|error| match error {
            CachedError::Fetch(error) => error,
            CachedError::FailedRecently => ParameterError::Unavailable {
                name: name.as_str().to_owned(),
                cause: "the last attempt has just failed".into(),
            },
        })
    }
}

#[cfg(test)]
mod tests;
