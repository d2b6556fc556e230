//! Configuration values from Systems Manager Parameter Store and Secrets Manager.

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

/// Reason why a value could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The parameter or secret does not exist or has no value.
    #[error("{name} not found")]
    NotFound {
        /// Name of the parameter or secret.
        name: String,
    },
    /// The function's role is not allowed to read the value or to use its encryption key.
    #[error("the function's role is not allowed to read {name}")]
    AccessDenied {
        /// Name of the parameter or secret.
        name: String,
    },
    /// The secret is binary.
    #[error("{name} is a binary secret, not text")]
    NotText {
        /// Name of the parameter or secret.
        name: String,
    },
    /// The call to AWS failed.
    #[error("cannot read {name}")]
    Unavailable {
        /// Name of the parameter or secret.
        name: String,
        /// Underlying error.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads parameters and secrets, and caches each value.
///
/// Concurrent requests for a value share one call. If the call fails, the cached value is used for at most
/// [`Self::MAX_STALE`]. It is discarded if AWS reports that the value does not exist or that access is denied.
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
/// println!("calling {} with {key:?}", url.expose_secret()); // SecretBox<str>([REDACTED])
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
    /// Maximum age of a cached value that cannot be refreshed, unless its lifetime is longer.
    pub const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Creates a reader with an empty cache. `config` is the result of [`sdk_config`](crate::sdk_config).
    ///
    /// Values are refreshed when they are older than `lifetime`. Ages are wall-clock times, because a monotonic clock
    /// may stop while the Lambda execution environment is frozen.
    pub fn new(config: &SdkConfig, lifetime: Duration) -> Self {
        let clock = config.time_source().unwrap_or_default();
        Self { source: ParameterSource::new(config), clock, lifetime, cached: Mutex::default() }
    }

    /// Returns the parameter with this name or ARN, and decrypts a `SecureString`.
    ///
    /// The role needs `ssm:GetParameter` on the parameter. If it is encrypted with your own KMS key, the role
    /// also needs `kms:Decrypt` on that key.
    ///
    /// # Errors
    /// Returns a [`ParameterError`] if the value could not be read and there is no usable cached value.
    pub async fn parameter(&self, name: &str) -> Result<SecretString, ParameterError> {
        self.get(Name::Parameter(name.to_owned())).await
    }

    /// Returns the current text of the secret with this name or ARN.
    ///
    /// The role needs `secretsmanager:GetSecretValue` on the secret. If it is encrypted with your own KMS key,
    /// the role also needs `kms:Decrypt` on that key.
    ///
    /// # Errors
    /// Returns a [`ParameterError`] if the value could not be read and there is no usable cached value.
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
            CachedError::FailedRecently => {
                ParameterError::Unavailable { name: name.as_str().to_owned(), cause: "the last read failed recently".into() }
            }
        })
    }
}

#[cfg(test)]
mod tests;
