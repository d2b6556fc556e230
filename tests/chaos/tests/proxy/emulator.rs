//! A fake emulator that accepts and records every request.

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

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    pub(crate) request_line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ReceivedRequest {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A fake emulator that runs until the test's runtime stops.
pub(crate) struct FakeEmulator {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl FakeEmulator {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let emulator = Self { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let requests = Arc::clone(&emulator.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let requests = Arc::clone(&requests);
                let service = service_fn(move |request| respond(Arc::clone(&requests), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        emulator
    }

    /// Returns the received requests in order.
    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

async fn respond(
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = ReceivedRequest { request_line: format!("{} {}", head.method, head.uri), headers: head.headers, body };
    // Respond to `PutEvents` with one result per entry. Echo the body of any other request.
    let entry_count = serde_json::from_slice::<Value>(&request.body).unwrap_or_default()["Entries"].as_array().map(Vec::len);
    let response = match entry_count {
        Some(count) => {
            let results: Vec<_> = (0..count).map(|n| json!({ "EventId": format!("event-{n}") })).collect();
            json!({ "FailedEntryCount": 0, "Entries": results }).to_string().into()
        }
        None => request.body.clone(),
    };
    requests.lock().unwrap().push(request);
    Ok(Response::builder().header("x-amzn-requestid", "from-the-emulator").body(Full::new(response)).unwrap())
}
