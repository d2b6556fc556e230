//! The SDK configuration that all AWS clients share.
//!
//! It is built without `aws-config`, whose credential chain, native certificate scan and second TLS stack triple the
//! time of the init phase.

mod connections;
mod container_credentials;
mod dynamodb;
mod tls;
mod trust;

use std::env;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use http::HeaderValue;

pub use self::connections::is_connect_error;
use self::container_credentials::ContainerCredentials;
pub use self::dynamodb::dynamodb_client;
use crate::prewarm::{self, OPEN_CONNECTIONS};

/// Maximum number of attempts per call. With at most two seconds per attempt, a call on a stuck connection is abandoned
/// while the invocation still has time.
///
/// The SDK's standard retry mode ("Retry behavior", AWS SDKs and Tools Reference Guide) retries throttling, 5xx
/// responses, timeouts and connection errors.
const MAX_ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const CREDENTIALS_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CREDENTIALS_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The environment does not contain a usable AWS configuration ("Defined runtime environment variables").
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsEnvironmentError {
    /// A required variable, which Lambda normally sets, is missing.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The environment contains no credentials and no credentials endpoint.
    #[error(
        "no AWS credentials: set the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         AWS_CONTAINER_CREDENTIALS_FULL_URI"
    )]
    NoCredentials,
    /// The TLS stack that the program was built with does not support any configured protocol version.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// A variable has an invalid value.
    #[error("the environment variable {name} is invalid")]
    Invalid {
        /// Name of the variable.
        name: &'static str,
        /// Reason why the value is invalid.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads the SDK configuration from environment variables. The names are those that the AWS SDKs use ("Settings
/// reference", AWS SDKs and Tools Reference Guide).
///
/// | variable | meaning |
/// |---|---|
/// | `AWS_REGION` | AWS Region; set by Lambda |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | credentials of the function; set by Lambda |
/// | `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN` | URL and token of a credentials endpoint, used if no credentials are set |
/// | `AWS_ENDPOINT_URL` | custom endpoint instead of the AWS endpoint |
/// | `AWS_CA_BUNDLE` | PEM file with trusted CA certificates, which replace the Amazon root certificates |
/// | `OPEN_CONNECTIONS_IN_INIT` | `true` or `false`: see [`prewarm`](crate::prewarm()) |
///
/// An empty variable is treated as not set.
///
/// # Errors
/// Returns an error that names the missing or invalid variable.
pub fn sdk_config() -> Result<SdkConfig, AwsEnvironmentError> {
    sdk_config_from(|name| env::var(name).ok())
}

pub(crate) fn sdk_config_from(variable: impl Fn(&'static str) -> Option<String>) -> Result<SdkConfig, AwsEnvironmentError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let required = |name| variable(name).ok_or(AwsEnvironmentError::Missing(name));
    prewarm::is_enabled(variable(OPEN_CONNECTIONS)).map_err(invalid(OPEN_CONNECTIONS))?;
    let roots = trust::roots(variable(CA_BUNDLE)).map_err(invalid(CA_BUNDLE))?;
    let http = connections::client(roots, CONNECT_TIMEOUT).map_err(AwsEnvironmentError::Tls)?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(timeouts());
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));

    let credentials = match (variable(ACCESS_KEY_ID), variable(SECRET_ACCESS_KEY)) {
        (Some(id), Some(secret)) => {
            let credentials = Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
            SharedCredentialsProvider::new(credentials)
        }
        (None, Some(_)) => return Err(AwsEnvironmentError::Missing(ACCESS_KEY_ID)),
        (Some(_), None) => return Err(AwsEnvironmentError::Missing(SECRET_ACCESS_KEY)),
        (None, None) => {
            let url = variable(CREDENTIALS_URI).ok_or(AwsEnvironmentError::NoCredentials)?;
            let token = variable(CREDENTIALS_TOKEN).map(HeaderValue::try_from).transpose();
            let token = token.map_err(invalid(CREDENTIALS_TOKEN))?;
            // Share one identity cache. Otherwise, each client would fetch and cache its own credentials.
            config.set_identity_cache(Some(IdentityCache::lazy().build()));
            SharedCredentialsProvider::new(ContainerCredentials::new(&url, token, http).map_err(invalid(CREDENTIALS_URI))?)
        }
    };
    Ok(config.credentials_provider(credentials).build())
}

fn invalid<E>(name: &'static str) -> impl Fn(E) -> AwsEnvironmentError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| AwsEnvironmentError::Invalid { name, cause: cause.into() }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}

#[cfg(test)]
mod tests;
