//! An HTTP server on loopback that stands in for AWS, for unit tests of what is sent.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    reason = "code for tests: what fails here fails the test"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_types::SdkConfig;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
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

/// What `sdk_config` makes of an environment whose endpoint is `address`.
pub fn config_at(address: SocketAddr) -> SdkConfig {
    let config = sdk_config_from(|name| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(format!("http://{address}")),
        _ => None,
    });
    config.unwrap()
}

/// What a request is answered with; without an answer, its connection breaks.
pub type Answer = Option<Response<String>>;

/// The answer of a call that succeeded.
pub fn ok(body: &str) -> Answer {
    Some(Response::new(body.to_owned()))
}

/// An answer with this status.
pub fn answer(status: u16, body: &str) -> Answer {
    let mut answer = Response::new(body.to_owned());
    *answer.status_mut() = status.try_into().unwrap();
    Some(answer)
}

/// A request as it came. Connections are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub connection: usize,
    pub path: String,
    /// The last part of `X-Amz-Target`.
    pub action: String,
    pub authorization: String,
    pub body: String,
}

/// A server that lives as long as the test's runtime.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Told to end them, and held by each of them until it has ended.
    connections: Arc<Notify>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::listen(None, answer).await
    }

    pub async fn start_tls(tls: TlsAcceptor, answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::listen(Some(tls), answer).await
    }

    /// The requests that came, in their order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Closes every connection, as AWS does with idle ones.
    pub async fn close_connections(&self) {
        self.connections.notify_waiters();
        // The server itself has two.
        while Arc::strong_count(&self.connections) > 2 {
            tokio::task::yield_now().await;
        }
    }

    async fn listen(tls: Option<TlsAcceptor>, answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default(), connections: Arc::default() };
        let (log, connections) = (Arc::clone(&server.seen), Arc::clone(&server.connections));
        tokio::spawn(async move {
            for connection in 1.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, log, answer) = (tls.clone(), Arc::clone(&log), answer.clone());
                let closing = Arc::clone(&connections);
                tokio::spawn(async move {
                    let served = async {
                        match tls {
                            // A client that does not trust the certificate ends the handshake.
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve(stream, connection, &log, answer).await;
                                }
                            }
                            None => serve(stream, connection, &log, answer).await,
                        }
                    };
                    tokio::select! {
                        () = served => {}
                        () = closing.notified() => {}
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
    log: &Mutex<Vec<Seen>>,
    answer: impl Fn(&Seen) -> Answer,
) {
    let respond = async |request: Request<Incoming>| {
        let (request, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |name| request.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let seen = Seen {
            connection,
            path: request.uri.to_string(),
            action: header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned(),
            authorization: header("authorization").to_owned(),
            body: String::from_utf8(body.into()).unwrap(),
        };
        log.lock().unwrap().push(seen.clone());
        answer(&seen).ok_or("the connection breaks")
    };
    // Broken on purpose, or by the client that went away.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond)).await;
}

/// Creates a DynamoDB table with this partition key under a name of its own, at whatever answers at `AWS_ENDPOINT_URL`.
pub async fn create_keyed_table(config: &SdkConfig, partition_key: &str) -> String {
    let name = format!("adapters-{}", UniqueIds.new_id());
    let attribute = AttributeDefinition::builder().attribute_name(partition_key).attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name(partition_key).key_type(KeyType::Hash);
    let create = crate::dynamodb_client(config)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute.build().unwrap())
        .key_schema(key.build().unwrap());
    create.send().await.unwrap();
    name
}

/// The configuration for tests that need an emulator.
///
/// # Panics
/// `AWS_ENDPOINT_URL` or another `AWS_*` variable is not set.
pub fn emulator_config() -> SdkConfig {
    let config = crate::sdk_config().unwrap();
    assert!(config.endpoint_url().is_some(), "AWS_ENDPOINT_URL is not set: run these tests through ./scripts/test");
    config
}
