//! The one SDK configuration: what every AWS client here is made from.
//!
//! It is built by hand and not by `aws-config`, whose credential chain, native certificate scan and second TLS stack
//! cost a cold start three times what this does.

use std::env;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// The roots that AWS service endpoints chain up to ("Amazon Trust Services Repository"), so that no start reads the
/// system's certificates.
const AMAZON_ROOTS: [&str; 5] = [
    include_str!("roots/amazon-root-ca-1.pem"),
    include_str!("roots/amazon-root-ca-2.pem"),
    include_str!("roots/amazon-root-ca-3.pem"),
    include_str!("roots/amazon-root-ca-4.pem"),
    include_str!("roots/starfield-services-root-ca-g2.pem"),
];

/// Three tries, each of at most two seconds: a stuck connection is given up while the invocation still has time.
const ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A variable that Lambda sets ("Defined runtime environment variables") is not there.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct AwsEnvironmentError(&'static str);

/// The configuration that Lambda's environment gives: region, credentials and, where `AWS_ENDPOINT_URL` is set, another
/// endpoint than AWS's own.
///
/// # Errors
/// `AWS_REGION`, `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is not set.
pub fn sdk_config() -> Result<SdkConfig, AwsEnvironmentError> {
    let required = |name| env::var(name).map_err(|_| AwsEnvironmentError(name));
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty()),
        None,
        "environment",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build(),
        );
    config.set_endpoint_url(env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty()));
    Ok(config.build())
}

fn http_client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    let roots = AMAZON_ROOTS.iter().fold(TrustStore::empty(), |store, pem| store.with_pem_certificate(pem.as_bytes()));
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Not reached: the context's only input is the PEM above, which is read when the client connects.
        Err(_) => builder.build_https(),
    }
}
