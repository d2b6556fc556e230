//! An endpoint on loopback that stands in for every AWS service. Like the AWS endpoints, it serves HTTP/1.1 over TLS.

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
use ferrite_application_tools::{AwsCall, AwsResponse};

/// Returns the AWS response to a call. The second argument is the value that every SSM parameter has.
type Respond = fn(&AwsCall<'_>, &str) -> Option<AwsResponse>;

/// The endpoint. It serves requests until this program exits.
pub(crate) struct AwsEndpoint {
    /// URL of the endpoint.
    pub(crate) url: String,
    /// The certificates that clients of the endpoint must trust.
    pub(crate) trust: Trust,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    unhandled: Mutex<Vec<String>>,
}

impl AwsEndpoint {
    /// Starts serving on a free port. `respond` produces the responses, with `jwks` as the value of every SSM
    /// parameter. The certificates are written to `folder`.
    ///
    /// # Errors
    /// Returns an error if the certificates cannot be created or no port is available.
    pub(crate) fn open(runtime: &Handle, folder: &Path, respond: Respond, jwks: String) -> Result<Self, BenchError> {
        let (tls, trust) = for_localhost(folder)?;
        let acceptor = TlsAcceptor::from(tls);
        let log = Arc::new(Log::default());
        // Bind by name, because functions also resolve the name. They would otherwise try its other address first and
        // fail.
        let listener = runtime.block_on(TcpListener::bind(("localhost", 0))).map_err(BenchError::Listen)?;
        let address = listener.local_addr().map_err(BenchError::Listen)?;
        let url = format!("https://localhost:{}", address.port());
        let jwks: Arc<str> = jwks.into();
        runtime.spawn(serve(listener, acceptor, Arc::clone(&log), respond, jwks));
        Ok(Self { url, trust, log })
    }

    /// Number of completed TLS handshakes.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::Relaxed)
    }

    /// Removes and returns the calls that had no response since the previous call of this method.
    pub(crate) fn take_unhandled(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.unhandled.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, log: Arc<Log>, respond: Respond, jwks: Arc<str>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let acceptor = acceptor.clone();
        let log = Arc::clone(&log);
        let jwks = Arc::clone(&jwks);
        tokio::spawn(async move {
            // A function may be killed during a handshake.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            log.connections.fetch_add(1, Ordering::Relaxed);
            let service = service_fn(|request| handle(&log, respond, &jwks, request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(
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
    if let Some(AwsResponse { status, content_type, body }) = respond(&call, jwks) {
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
        *response.body_mut() = Full::from(Bytes::from(body));
    } else {
        let call = format!("{} {} {}", head.method, head.uri.path(), target.unwrap_or_default());
        log.unhandled.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}
