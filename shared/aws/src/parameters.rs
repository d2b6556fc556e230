//! Configuration that is not in the environment: parameters of Systems Manager and secrets of Secrets Manager.

mod json_call;
mod source;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_types::SdkConfig;
use aws_types::sdk_config::SharedTimeSource;
use secrecy::SecretString;
use tokio::sync::Mutex;

pub use source::ParameterSource;

/// From one failed reading to the next, while an older value serves: an outage must not hold up every request.
const RETRY: Duration = Duration::from_secs(5);

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

/// Reads parameters and secrets, and keeps each for a while.
///
/// Requests that need a value at once wait for one reading of it. When that fails because AWS is out of reach, the value
/// that was read last goes on being used, for [`Self::MAX_STALE`] at most; when AWS says that the value is gone or not for
/// this function, it is not.
///
/// ```no_run
/// use std::time::Duration;
///
/// use secrecy::ExposeSecret;
///
/// # async fn init() -> Result<(), Box<dyn std::error::Error>> {
/// let parameters = ferrite_aws::Parameters::new(&ferrite_aws::sdk_config()?, Duration::from_secs(300));
/// let url = parameters.parameter("/shop/gateway-url").await?;
/// let key = parameters.secret("shop/gateway-key").await?;
/// println!("{} is called with {key:?}", url.expose_secret()); // SecretBox<str>([REDACTED])
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Parameters {
    source: ParameterSource,
    clock: SharedTimeSource,
    lifetime: Duration,
    kept: Mutex<HashMap<Wanted, Arc<Mutex<Kept>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Parameter(String),
    Secret(String),
}

/// The value that was read last, and when that was tried last in vain. Locked while it is read.
#[derive(Debug, Default)]
struct Kept {
    value: Option<(SecretString, SystemTime)>,
    failed_at: Option<SystemTime>,
}

impl Kept {
    fn younger_than(&self, limit: Duration, now: SystemTime) -> Option<SecretString> {
        let (value, read_at) = self.value.as_ref()?;
        is_within(limit, *read_at, now).then(|| value.clone())
    }

    fn has_just_failed(&self, now: SystemTime) -> bool {
        self.failed_at.is_some_and(|failed_at| is_within(RETRY, failed_at, now))
    }
}

/// Whether `then` is less than `limit` before `now`; a clock that was set back has it so.
fn is_within(limit: Duration, then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).unwrap_or_default() < limit
}

impl Parameters {
    /// How long after it was read a value may be used while it cannot be read again, unless its lifetime is longer.
    pub const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Values are read again when they are older than `lifetime`, by the wall clock: a monotonic one may stand still while
    /// Lambda has the environment frozen. `config` is what [`sdk_config`](crate::sdk_config) made.
    pub fn new(config: &SdkConfig, lifetime: Duration) -> Self {
        let clock = config.time_source().unwrap_or_default();
        Self { source: ParameterSource::new(config), clock, lifetime, kept: Mutex::default() }
    }

    /// The parameter of this name or ARN; a `SecureString` is decrypted. The role needs `ssm:GetParameter` on it and, where
    /// it is encrypted under a key of one's own, `kms:Decrypt` on that.
    ///
    /// # Errors
    /// As [`ParameterError`] says.
    pub async fn parameter(&self, name: &str) -> Result<SecretString, ParameterError> {
        self.get(Wanted::Parameter(name.to_owned())).await
    }

    /// The current text of the secret of this name or ARN. The role needs `secretsmanager:GetSecretValue` on it and, where
    /// it is encrypted under a key of one's own, `kms:Decrypt` on that.
    ///
    /// # Errors
    /// As [`ParameterError`] says.
    pub async fn secret(&self, id: &str) -> Result<SecretString, ParameterError> {
        self.get(Wanted::Secret(id.to_owned())).await
    }

    async fn get(&self, wanted: Wanted) -> Result<SecretString, ParameterError> {
        let kept = Arc::clone(self.kept.lock().await.entry(wanted.clone()).or_default());
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if let Some(value) = kept.younger_than(self.lifetime, now) {
            return Ok(value);
        }
        let stale = kept.younger_than(self.lifetime.max(Self::MAX_STALE), now);
        if let Some(value) = &stale
            && kept.has_just_failed(now)
        {
            return Ok(value.clone());
        }
        let read = match &wanted {
            Wanted::Parameter(name) => self.source.parameter(name).await,
            Wanted::Secret(id) => self.source.secret(id).await,
        };
        match (read, stale) {
            (Ok(value), _) => {
                *kept = Kept { value: Some((value.clone(), now)), failed_at: None };
                Ok(value)
            }
            (Err(ParameterError::Unavailable { .. }), Some(value)) => {
                kept.failed_at = Some(now);
                Ok(value)
            }
            (Err(error), _) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
