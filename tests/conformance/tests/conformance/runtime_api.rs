//! A server on loopback for one function: Lambda's Runtime API ("Using the Lambda runtime API for custom runtimes") and
//! the payment gateway that the function charges. Every request waits until the test responds to it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

type Response = hyper::Response<Full<Bytes>>;

/// How long to wait for the function's next request. This is many times what it takes on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A request of the function that waits for a response.
pub(crate) struct PendingRequest {
    pub(crate) path: String,
    pub(crate) body: Bytes,
    response: oneshot::Sender<Response>,
}

impl PendingRequest {
    /// Responds with `status` and a JSON text.
    pub(crate) fn respond(self, status: StatusCode, headers: &[(&'static str, String)], body: String) {
        let mut response = hyper::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        // The send fails if the function was killed in the meantime.
        let _ = self.response.send(response.body(Full::from(body)).unwrap());
    }
}

/// The server. It runs until the Tokio runtime of the test ends.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    requests: Mutex<UnboundedReceiver<PendingRequest>>,
}

impl RuntimeApi {
    /// Listens on a free port.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                let service = service_fn(move |request| handle(sender.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, requests: requests.into() }
    }

    /// Waits for the next request of the function.
    pub(crate) async fn next(&self) -> PendingRequest {
        let next = timeout(REQUEST_TIMEOUT, async { self.requests.lock().await.recv().await }).await;
        next.unwrap_or_else(|_| panic!("no request from the function within {} s", REQUEST_TIMEOUT.as_secs())).unwrap()
    }
}

async fn handle(sender: UnboundedSender<PendingRequest>, request: Request<Incoming>) -> Result<Response, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (response, received) = oneshot::channel();
    let _ = sender.send(PendingRequest { path, body, response });
    // If the test is over, there is no response, and nobody reads the default.
    Ok(received.await.unwrap_or_default())
}
