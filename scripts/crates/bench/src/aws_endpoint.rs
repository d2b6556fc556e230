//! An endpoint on loopback that stands in for every AWS service, over TLS and HTTP/1.1 as AWS's own.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;

use crate::error::BenchError;
use crate::tls::{Trust, for_localhost};
use ferrite_storefront_tools::{AwsCall, AwsResponse};

/// The response of AWS to a call, given the value of every parameter.
type Respond = fn(&AwsCall<'_>, &str) -> Option<AwsResponse>;

/// The endpoint, which serves as long as this program lives.
pub(crate) struct AwsEndpoint {
    /// Its URL.
    pub(crate) url: String,
    /// The certificates that its clients have to trust.
    pub(crate) trust: Trust,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    unanswered: Mutex<Vec<String>>,
}

impl AwsEndpoint {
    /// Serves on a free port the responses of `respond`, with `jwks` as the value of every parameter. Its certificates are in
    /// `folder`.
    ///
    /// # Errors
    /// When no certificate can be made, or no port be had.
    pub(crate) fn open(servers: &Handle, folder: &Path, respond: Respond, jwks: String) -> Result<Self, BenchError> {
        let (tls, trust) = for_localhost(folder)?;
        let acceptor = TlsAcceptor::from(tls);
        let log = Arc::new(Log::default());
        // By name: functions resolve it too, and would try its other address first in vain.
        let listener = servers.block_on(TcpListener::bind(("localhost", 0))).map_err(BenchError::Port)?;
        let address = listener.local_addr().map_err(BenchError::Port)?;
        let url = format!("https://localhost:{}", address.port());
        let jwks: Arc<str> = jwks.into();
        servers.spawn(serve(listener, acceptor, Arc::clone(&log), (respond, jwks)));
        Ok(Self { url, trust, log })
    }

    /// How many TLS handshakes have come to their end.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::Relaxed)
    }

    /// The calls without a response since the last call of this method.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.unanswered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, log: Arc<Log>, (respond, jwks): (Respond, Arc<str>)) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (acceptor, log, jwks) = (acceptor.clone(), Arc::clone(&log), Arc::clone(&jwks));
        tokio::spawn(async move {
            // A function may be ended during a handshake.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            log.connections.fetch_add(1, Ordering::Relaxed);
            let service = service_fn(|request| answer(&log, respond, &jwks, request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    log: &Log,
    respond: Respond,
    jwks: &str,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let call = AwsCall { method: &head.method, path: head.uri.path(), target, body: &body };
    let mut response = Response::new(Full::default());
    if let Some(answer) = respond(&call, jwks) {
        *response.status_mut() = answer.status;
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(answer.content_type));
        *response.body_mut() = Full::from(Bytes::from(answer.body));
    } else {
        let call = format!("{} {} {}", head.method, head.uri.path(), target.unwrap_or_default());
        log.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}
