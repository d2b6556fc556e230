//! The HTTP client and connection pool that all AWS clients share.
//!
//! It implements the SDK's HTTP client interface with hyper's client. The SDK's own client, `aws-smithy-http-client`,
//! includes HTTP/2, proxy support and a second pool, none of which is used here. It would add half a megabyte to every
//! function, and accounts for a quarter of the init instructions beyond those of an empty function.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as TcpConnector, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::tls;

/// Maximum time that a connection stays idle in the pool.
///
/// Lambda freezes the execution environment between invocations, and AWS may close idle connections in the meantime
/// ("Best practices for working with AWS Lambda functions"). No request fails because of that. If the close has
/// arrived, the connection is removed from the pool. If it arrives while a request is being sent, hyper sends the
/// request on another connection. Later failures are connection errors, which the SDK retries on a new connection.
///
/// The limit covers connections that are dropped without notification, which cost a whole attempt: NAT gateways and
/// Network Load Balancers drop a connection after 350 seconds of inactivity ("NAT gateway basics").
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Creates a client that trusts the certificates in `roots`.
///
/// # Errors
/// Returns an error if rustls does not support any of the configured protocol versions.
pub(super) fn client(roots: RootCertStore, connect_timeout: Duration) -> Result<SharedHttpClient, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(tls::provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = TcpConnector::new();
    // Allow `https` URLs: the HTTPS connector that wraps this one checks the scheme.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .build(connector);
    Ok(SharedHttpClient::new(Https(client)))
}

#[derive(Debug, Clone)]
struct Https(Client<HttpsConnector<TcpConnector>, SdkBody>);

impl HttpClient for Https {
    /// Ignores the timeouts in the settings: the client has its own connect timeout, and the SDK enforces the attempt
    /// timeout.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Https {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || connection_metadata(&connection));
        }
        let sent = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = sent.await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK remove a connection from the pool after a transient error.
fn connection_metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// Returns whether no connection could be established. Nothing was sent in that case, so a retry is safe.
#[must_use]
pub fn is_connect_error(error: &ConnectorError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<legacy::Error>());
    cause.is_some_and(legacy::Error::is_connect)
}

/// Classifies the error for the SDK, which retries everything except requests that are invalid.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    match cause {
        Some(cause) if cause.is_user() => ConnectorError::user(error.into()),
        Some(cause) if cause.is_timeout() => ConnectorError::timeout(error.into()),
        Some(cause) if cause.is_incomplete_message() => ConnectorError::other(error.into(), Some(ErrorKind::TransientError)),
        _ => ConnectorError::io(error.into()),
    }
}
