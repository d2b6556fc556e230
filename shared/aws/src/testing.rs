//! Mock HTTP server on the loopback interface that replaces AWS in unit tests.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    reason = "test code: a panic fails the test"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use aws_types::SdkConfig;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::client::sdk_config_from;

/// Returns an SDK configuration whose endpoint is `address`.
pub fn config_at(address: SocketAddr) -> SdkConfig {
    let config = sdk_config_from(|name| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(format!("http://{address}")),
        _ => None,
    });
    config.unwrap()
}

/// Response to a request; `None` closes the connection without a response.
pub type MockResponse = Option<Response<String>>;

/// Creates a response with status 200.
pub fn ok(body: &str) -> MockResponse {
    Some(Response::new(body.to_owned()))
}

/// Creates a response with this status.
pub fn response(status: u16, body: &str) -> MockResponse {
    let mut response = Response::new(body.to_owned());
    *response.status_mut() = status.try_into().unwrap();
    Some(response)
}

/// A request that the server received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Number of the connection, starting at 1.
    pub connection: usize,
    pub path: String,
    /// Last part of the `X-Amz-Target` header.
    pub action: String,
    pub authorization: String,
    pub body: String,
}

/// Server that runs until the test's runtime shuts down.
pub struct MockServer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
    /// Signals open connections to close. Each connection holds a clone until it is closed.
    close_connections: Arc<Notify>,
}

impl MockServer {
    pub async fn start(respond: impl Fn(&RecordedRequest) -> MockResponse + Clone + Send + Sync + 'static) -> Self {
        Self::listen(None, respond).await
    }

    pub async fn start_tls(
        tls: TlsAcceptor,
        respond: impl Fn(&RecordedRequest) -> MockResponse + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), respond).await
    }

    /// Returns the received requests in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// Closes all connections, as AWS does with idle connections.
    pub async fn close_connections(&self) {
        self.close_connections.notify_waiters();
        // This struct and the accept loop hold the other two references.
        while Arc::strong_count(&self.close_connections) > 2 {
            tokio::task::yield_now().await;
        }
    }

    async fn listen(
        tls: Option<TlsAcceptor>,
        respond: impl Fn(&RecordedRequest) -> MockResponse + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), requests: Arc::default(), close_connections: Arc::default() };
        let requests = Arc::clone(&server.requests);
        let close_connections = Arc::clone(&server.close_connections);
        tokio::spawn(async move {
            for connection in 1.. {
                let (stream, _) = listener.accept().await.unwrap();
                let tls = tls.clone();
                let requests = Arc::clone(&requests);
                let respond = respond.clone();
                let close = Arc::clone(&close_connections);
                tokio::spawn(async move {
                    let serving = async {
                        match tls {
                            // The handshake fails if the client does not trust the certificate.
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve(stream, connection, &requests, respond).await;
                                }
                            }
                            None => serve(stream, connection, &requests, respond).await,
                        }
                    };
                    tokio::select! {
                        () = serving => {}
                        () = close.notified() => {}
                    }
                });
            }
        });
        server
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    requests: &Mutex<Vec<RecordedRequest>>,
    respond: impl Fn(&RecordedRequest) -> MockResponse,
) {
    let handle = async |request: Request<Incoming>| {
        let (request, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |name| request.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let recorded = RecordedRequest {
            connection,
            path: request.uri.to_string(),
            action: header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned(),
            authorization: header("authorization").to_owned(),
            body: String::from_utf8(body.into()).unwrap(),
        };
        requests.lock().unwrap().push(recorded.clone());
        respond(&recorded).ok_or("connection closed without a response")
    };
    // Ignore errors: the test closes the connection on purpose, or the client disconnected.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(handle)).await;
}

fn attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

/// Creates a DynamoDB table with a unique name and this partition key, and returns the name.
pub async fn create_table_with_partition_key(config: &SdkConfig, partition_key: &str) -> String {
    let name = format!("adapters-{}", UniqueIds.new_id());
    let create = crate::dynamodb_client(config)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(partition_key))
        .key_schema(key(partition_key, KeyType::Hash));
    create.send().await.unwrap();
    name
}

/// Creates a DynamoDB table with a unique name, the keys `pk` and `sk`, and the index `gsi1` with the keys `gsi1pk` and
/// `gsi1sk`. Returns the name.
pub async fn create_table_with_index(config: &SdkConfig) -> String {
    let name = format!("adapters-{}", UniqueIds.new_id());
    let index = GlobalSecondaryIndex::builder()
        .index_name("gsi1")
        .key_schema(key("gsi1pk", KeyType::Hash))
        .key_schema(key("gsi1sk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    let create = crate::dynamodb_client(config)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "gsi1pk", "gsi1sk"].map(attribute).into()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index.build().unwrap());
    create.send().await.unwrap();
    name
}

/// Returns the SDK configuration for tests that need an emulator.
///
/// # Panics
/// Panics if `AWS_ENDPOINT_URL` or another required `AWS_*` variable is not set.
pub fn emulator_config() -> SdkConfig {
    let config = crate::sdk_config().unwrap();
    assert!(config.endpoint_url().is_some(), "AWS_ENDPOINT_URL is not set; run these tests with ./scripts/test");
    config
}
