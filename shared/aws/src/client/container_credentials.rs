//! Credentials from a local endpoint, which Lambda SnapStart uses ("Container credential provider", AWS SDKs and Tools
//! Reference Guide).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use ferrite_core::Timestamp;
use http::Uri;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use serde::Deserialize;

use super::{retries, timeouts};

/// Credentials endpoints of ECS and EKS. Besides loopback addresses, only these may be called without TLS.
const CONTAINER_ENDPOINTS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23)),
];

/// Reason why a credentials endpoint is rejected.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidEndpoint {
    #[error("not an http or https URL")]
    NotAUrl,
    #[error("http is allowed only for loopback addresses and container credentials endpoints; use https")]
    Insecure,
}

/// Fetches credentials on every call. The SDK's identity cache stores them until shortly before they expire.
pub(super) struct ContainerCredentials(Operation<(), Credentials, CredentialsError>);

impl fmt::Debug for ContainerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContainerCredentials")
    }
}

impl ContainerCredentials {
    /// Creates a provider that fetches credentials from `url`, with `token` in the `Authorization` header if there is
    /// one.
    pub(super) fn new(url: &str, token: Option<HeaderValue>, http: SharedHttpClient) -> Result<Self, InvalidEndpoint> {
        let url: Uri = url.parse().map_err(|_| InvalidEndpoint::NotAUrl)?;
        let host = allowed_host(&url)?;
        let path = url.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let fetch = Operation::builder()
            .service_name("ContainerCredentials")
            .operation_name("GetCredentials")
            .http_client(http)
            .endpoint_url(&host)
            .no_auth()
            .standard_retry(&retries())
            .retry_classifier(TransientErrorClassifier::<CredentialsError>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .timeout_config(timeouts())
            .with_connection_poisoning()
            .serializer(move |()| {
                let mut request = http::Request::get(path.clone()).header(ACCEPT, "application/json");
                if let Some(token) = &token {
                    request = request.header(AUTHORIZATION, token);
                }
                Ok(request.body(SdkBody::empty())?.try_into()?)
            })
            .deserializer(|response| parse_response(response).map_err(OrchestratorError::operation))
            .build();
        Ok(Self(fetch))
    }
}

impl ProvideCredentials for ContainerCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.0.invoke(()).await.map_err(|error| match error {
                SdkError::ServiceError(error) => error.into_err(),
                error => CredentialsError::provider_error(error),
            })
        })
    }
}

/// Returns the scheme, host and port of `url` if it is safe to fetch credentials from it: over https, or from a local
/// address.
fn allowed_host(url: &Uri) -> Result<String, InvalidEndpoint> {
    let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else { return Err(InvalidEndpoint::NotAUrl) };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_local =
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || CONTAINER_ENDPOINTS.contains(&ip));
    match scheme {
        _ if *scheme == Scheme::HTTPS => {}
        _ if *scheme == Scheme::HTTP && is_local => {}
        _ if *scheme == Scheme::HTTP => return Err(InvalidEndpoint::Insecure),
        _ => return Err(InvalidEndpoint::NotAUrl),
    }
    Ok(format!("{scheme}://{authority}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsResponse {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

fn parse_response(response: &HttpResponse) -> provider::Result {
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(CredentialsError::provider_error(format!("the credentials endpoint returned status {status}")));
    }
    let credentials: CredentialsResponse = serde_json::from_slice(response.body().bytes().unwrap_or_default())
        // Drop the parse error: it may quote part of the response, which contains secrets.
        .map_err(|_| CredentialsError::provider_error("the credentials endpoint returned an invalid response"))?;
    let expires =
        credentials.expiration.map(|time| SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix_seconds().unsigned_abs()));
    Ok(Credentials::new(credentials.access_key_id, credentials.secret_access_key, credentials.token, expires, "container"))
}
