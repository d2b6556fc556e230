//! A stand-in for the emulator, which records requests and accepts everything.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) request: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An emulator that lives as long as the test's runtime.
pub(crate) struct Emulator {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let emulator = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&emulator.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request| answer(Arc::clone(&seen), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        emulator
    }

    /// The requests that came, in their order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(seen: Arc<Mutex<Vec<Seen>>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = Seen { request: format!("{} {}", head.method, head.uri), headers: head.headers, body };
    let entries = serde_json::from_slice::<Value>(&request.body).unwrap_or_default()["Entries"].as_array().map(Vec::len);
    let answer = match entries {
        Some(count) => {
            let results: Vec<_> = (0..count).map(|n| json!({ "EventId": format!("event-{n}") })).collect();
            json!({ "FailedEntryCount": 0, "Entries": results }).to_string().into()
        }
        None => request.body.clone(),
    };
    seen.lock().unwrap().push(request);
    Ok(Response::builder().header("x-amzn-requestid", "of-the-emulator").body(Full::new(answer)).unwrap())
}
