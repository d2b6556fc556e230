//! The HTTP client that every AWS client shares, and with it one pool of connections.
//!
//! It is hyper's own client behind the SDK's port. The one that the SDK brings, `aws-smithy-http-client`, has HTTP/2, proxies and a
//! second pool in it, which no call here uses: half a megabyte of every function, and a quarter of the instructions
//! that init takes beyond an empty function's.

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

/// How long a connection may wait for its next request.
///
/// Lambda freezes the environment between invocations, for minutes, and AWS may close the connection meanwhile ("Best
/// practices for working with AWS Lambda functions": use keep-alive, expect idle connections to be purged). That costs
/// no request: a close that has arrived takes the connection out of the pool, one that arrives with the request leaves
/// hyper to send the unsent request on another, and what breaks after that is a connection error, which the SDK tries
/// again on a new connection. So the limit is there for a connection that was dropped without a word, which costs a
/// whole attempt: NAT gateways and network load balancers forget one after 350 s ("NAT gateway basics").
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// A client that trusts `roots` and gives a connection `connect_timeout` to be made.
///
/// # Errors
/// The TLS stack has none of the protocol versions that it was built for.
pub(super) fn client(roots: RootCertStore, connect_timeout: Duration) -> Result<SharedHttpClient, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(tls::provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = TcpConnector::new();
    // The scheme is the layer's above.
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
    /// The timeouts in the settings are not read: connecting has the one above, and an attempt the SDK's own.
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
            capture.set_connection_retriever(move || poisonable(&connection));
        }
        let sent = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = sent.await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK take a connection that gave a transient error out of the pool.
fn poisonable(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// Whether no connection was made, so that nothing of the request was sent. Trying again is then safe.
#[must_use]
pub fn never_connected(error: &ConnectorError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<legacy::Error>());
    cause.is_some_and(legacy::Error::is_connect)
}

/// What kind of error it is, which decides whether the SDK tries again: everything but a request that cannot be sent.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    match cause {
        Some(cause) if cause.is_user() => ConnectorError::user(error.into()),
        Some(cause) if cause.is_timeout() => ConnectorError::timeout(error.into()),
        Some(cause) if cause.is_incomplete_message() => ConnectorError::other(error.into(), Some(ErrorKind::TransientError)),
        _ => ConnectorError::io(error.into()),
    }
}
