//! Credentials from an endpoint in the function's own environment, which is where SnapStart has them ("Container
//! credential provider", AWS SDKs and Tools Reference Guide).

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

/// Where ECS and EKS have their containers' credentials; all else that may be asked in the clear is loopback.
const CONTAINER_ENDPOINTS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23)),
];

/// Why the endpoint that the environment names is not asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidEndpoint {
    #[error("it is not an http or https URL")]
    NotAUrl,
    #[error("http is for a loopback address, or a container's credentials endpoint, only")]
    Insecure,
}

/// Fetches the credentials whenever it is asked: the SDK's identity cache keeps them until shortly before they expire.
pub(super) struct ContainerCredentials(Operation<(), Credentials, CredentialsError>);

impl fmt::Debug for ContainerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContainerCredentials")
    }
}

impl ContainerCredentials {
    /// Credentials from `url`, asked with `token` if there is one.
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
            .deserializer(|response| read(response).map_err(OrchestratorError::operation))
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
                SdkError::ServiceError(refusal) => refusal.into_err(),
                unanswered => CredentialsError::provider_error(unanswered),
            })
        })
    }
}

/// The URL's scheme, host and port, if credentials may come from there: by https, or from this very machine.
fn allowed_host(url: &Uri) -> Result<String, InvalidEndpoint> {
    let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else { return Err(InvalidEndpoint::NotAUrl) };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_here =
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || CONTAINER_ENDPOINTS.contains(&ip));
    match scheme {
        _ if *scheme == Scheme::HTTPS => {}
        _ if *scheme == Scheme::HTTP && is_here => {}
        _ if *scheme == Scheme::HTTP => return Err(InvalidEndpoint::Insecure),
        _ => return Err(InvalidEndpoint::NotAUrl),
    }
    Ok(format!("{scheme}://{authority}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

fn read(response: &HttpResponse) -> provider::Result {
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(CredentialsError::provider_error(format!("the credentials endpoint answered with status {status}")));
    }
    let answer: Answer = serde_json::from_slice(response.body().bytes().unwrap_or_default())
        // Why not is left out: it may quote what was there, and that may be a secret.
        .map_err(|_| CredentialsError::provider_error("the credentials endpoint answered with something else"))?;
    let expires =
        answer.expiration.map(|time| SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix_seconds().unsigned_abs()));
    Ok(Credentials::new(answer.access_key_id, answer.secret_access_key, answer.token, expires, "container"))
}
