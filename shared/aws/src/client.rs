//! The one SDK configuration: what every AWS client here is made from.
//!
//! It is built by hand and not by `aws-config`, whose credential chain, native certificate scan and second TLS stack
//! cost a cold start three times what this does.

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

pub use self::connections::never_connected;
use self::container_credentials::ContainerCredentials;
pub use self::dynamodb::dynamodb_client;
use crate::prewarm::{self, OPEN_CONNECTIONS};

/// Three tries, each of at most two seconds: a stuck connection is given up while the invocation still has time.
///
/// What is tried again is what the SDK's standard mode says ("Retry behavior", AWS SDKs and Tools Reference Guide):
/// throttling, 5xx, timeouts, and a connection that broke or could not be made.
const ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const CREDENTIALS_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CREDENTIALS_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The environment does not say how to call AWS ("Defined runtime environment variables").
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsEnvironmentError {
    /// A variable that Lambda sets is not there.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// Nothing says whom to call AWS as.
    #[error(
        "neither the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set nor \
         AWS_CONTAINER_CREDENTIALS_FULL_URI"
    )]
    NoCredentials,
    /// The TLS stack does not work, which is a mistake in how this program was built.
    #[error("TLS cannot be spoken")]
    Tls(#[source] rustls::Error),
    /// A variable is set to something that cannot be used.
    #[error("the environment variable {name} is not usable")]
    Unusable {
        /// The variable.
        name: &'static str,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The configuration that the environment gives, under the names that AWS's own SDKs read ("Settings reference", AWS
/// SDKs and Tools Reference Guide).
///
/// | variable | meaning |
/// |---|---|
/// | `AWS_REGION` | the region; Lambda sets it |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the function's credentials; Lambda sets them |
/// | `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN` | where to fetch them, where they are not set |
/// | `AWS_ENDPOINT_URL` | another endpoint than AWS's own |
/// | `AWS_CA_BUNDLE` | a PEM file: its certificates are trusted, and Amazon's no longer |
/// | `OPEN_CONNECTIONS_IN_INIT` | `true` or `false`: see [`prewarm`](crate::prewarm()) |
///
/// A variable that is empty counts as not set.
///
/// # Errors
/// What is missing or not usable, by the variable's name.
pub fn sdk_config() -> Result<SdkConfig, AwsEnvironmentError> {
    sdk_config_from(|name| env::var(name).ok())
}

pub(crate) fn sdk_config_from(variable: impl Fn(&'static str) -> Option<String>) -> Result<SdkConfig, AwsEnvironmentError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let required = |name| variable(name).ok_or(AwsEnvironmentError::Missing(name));
    prewarm::is_wanted(variable(OPEN_CONNECTIONS)).map_err(unusable(OPEN_CONNECTIONS))?;
    let roots = trust::roots(variable(CA_BUNDLE)).map_err(unusable(CA_BUNDLE))?;
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
            let token = token.map_err(unusable(CREDENTIALS_TOKEN))?;
            // One for all clients, which would each keep, and fetch, their own.
            config.set_identity_cache(Some(IdentityCache::lazy().build()));
            SharedCredentialsProvider::new(ContainerCredentials::new(&url, token, http).map_err(unusable(CREDENTIALS_URI))?)
        }
    };
    Ok(config.credentials_provider(credentials).build())
}

fn unusable<E>(name: &'static str) -> impl Fn(E) -> AwsEnvironmentError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| AwsEnvironmentError::Unusable { name, cause: cause.into() }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}

#[cfg(test)]
mod tests;
