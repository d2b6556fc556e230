//! Lambda's Runtime API on loopback, for one function ("Using the Lambda runtime API for custom runtimes"), and beside it
//! the gateway that the function charges with. What a function asks waits for its answer until the test gives one.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

type Answer = Response<Full<Bytes>>;

/// How long a function may take to ask for something: many times what it takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the function asked, and how to answer it.
pub(crate) struct Exchange {
    pub(crate) path: String,
    pub(crate) body: Bytes,
    answer: oneshot::Sender<Answer>,
}

impl Exchange {
    /// Answers with `status` and a JSON text.
    pub(crate) fn answer(self, status: StatusCode, headers: &[(&'static str, String)], body: String) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        // A function that was ended meanwhile does not hear it.
        let _ = self.answer.send(response.body(Full::from(body)).unwrap());
    }
}

/// The API that one function talks to, for as long as the test's runtime runs.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    exchanges: Mutex<UnboundedReceiver<Exchange>>,
}

impl RuntimeApi {
    /// Listens on a port of its own.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, exchanges) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let asked = asked.clone();
                let service = service_fn(move |request| exchange(asked.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, exchanges: exchanges.into() }
    }

    /// What the function asks next.
    pub(crate) async fn next(&self) -> Exchange {
        let next = timeout(PATIENCE, async { self.exchanges.lock().await.recv().await }).await;
        next.unwrap_or_else(|_| panic!("the function was silent for {} s", PATIENCE.as_secs())).unwrap()
    }
}

async fn exchange(asked: UnboundedSender<Exchange>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (answer, answered) = oneshot::channel();
    let _ = asked.send(Exchange { path, body, answer });
    // Where the test is over, nobody reads this.
    Ok(answered.await.unwrap_or_default())
}
