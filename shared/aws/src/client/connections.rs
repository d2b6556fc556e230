//! The HTTP client that every AWS client shares, and with it one pool of connections.

use std::time::Duration;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// How long a connection may wait for its next request.
///
/// Lambda freezes the environment between invocations, for minutes, and AWS may close the connection meanwhile ("Best
/// practices for working with AWS Lambda functions": use keep-alive, expect idle connections to be purged). That costs
/// no request: a close that has arrived takes the connection out of the pool, one that arrives with the request leaves
/// hyper to send the unsent request on another, and what breaks after that is a connection error, which the SDK tries
/// again on a new connection. So the limit is there for a connection that was dropped without a word, which costs a
/// whole attempt: NAT gateways and network load balancers forget one after 350 s ("NAT gateway basics").
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// A client that trusts `roots`, on rustls and ring.
pub(super) fn client(roots: TrustStore) -> SharedHttpClient {
    let builder = Builder::new().pool_idle_timeout(POOL_IDLE_TIMEOUT).tls_provider(Provider::Rustls(CryptoMode::Ring));
    let client = match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Not reached: the context's only input is the roots, which are read when the client connects.
        Err(_) => builder.build_https(),
    };
    SharedHttpClient::new(BuiltOnce(client))
}

/// Builds its connector at the first call, once for all clients. The SDK would also build one in the init of each client,
/// to throw it away: a fifth of a millisecond for the first and a tenth for each other.
#[derive(Debug)]
struct BuiltOnce(SharedHttpClient);

impl HttpClient for BuiltOnce {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
