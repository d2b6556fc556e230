//! A server on this machine in place of AWS, for tests of what goes over the wire.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_types::SdkConfig;
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
pub(crate) fn config_at(address: SocketAddr) -> SdkConfig {
    let config = sdk_config_from(|name| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(format!("http://{address}")),
        _ => None,
    });
    config.unwrap()
}

/// What a request is answered with; without an answer, its connection breaks.
pub(crate) type Answer = Option<Response<String>>;

/// The answer of a call that succeeded.
pub(crate) fn ok(body: &str) -> Answer {
    Some(Response::new(body.to_owned()))
}

/// An answer with this status.
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    let mut answer = Response::new(body.to_owned());
    *answer.status_mut() = status.try_into().unwrap();
    Some(answer)
}

/// A request as it came. Connections are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) path: String,
    /// The last part of `X-Amz-Target`.
    pub(crate) action: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// A server that lives as long as the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Told to end them, and held by each of them until it has ended.
    connections: Arc<Notify>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::listen(None, answer).await
    }

    pub(crate) async fn start_tls(
        tls: TlsAcceptor,
        answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), answer).await
    }

    /// The requests that came, in their order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Closes every connection, as AWS does with idle ones.
    pub(crate) async fn close_connections(&self) {
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
