//! The backend that the stack forwards requests to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// Every byte, so that any conversion to text changes it.
pub(crate) const BINARY: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = index as u8;
        index += 1;
    }
    bytes
};

/// Starts the backend on a free port, in a thread that runs until the tests end.
pub(crate) fn start() -> SocketAddr {
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond)));
            }
        });
    });
    address.recv().unwrap()
}

/// Responds as the last segment of the path says. All other paths return the request as JSON.
async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let response = Response::builder();
    let response = match request.uri().path().rsplit('/').next() {
        Some("redirect") => response
            .status(StatusCode::FOUND)
            .header(LOCATION, "https://elsewhere.example/path?x=1")
            .header(SET_COOKIE, "one=1; Path=/")
            .header(SET_COOKIE, "two=2; Path=/")
            .header("X-Legacy", "kept")
            .body(Full::default()),
        Some("binary") => response
            .header(CONTENT_TYPE, "image/png")
            .header(CONTENT_ENCODING, "br")
            .body(Full::from(Bytes::from_static(&BINARY))),
        Some("unauthorized") => response
            .status(StatusCode::UNAUTHORIZED)
            .header(WWW_AUTHENTICATE, "Basic realm=\"legacy\"")
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::from("sign in")),
        // Closes the connection without a response.
        Some("hang-up") => return Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {
            let description = describe(request).await;
            response.header(CONTENT_TYPE, "application/json").body(Full::from(description.to_string()))
        }
    };
    Ok(response.unwrap())
}

async fn describe(request: Request<Incoming>) -> Value {
    let (head, body) = request.into_parts();
    let headers: Vec<Value> =
        head.headers.iter().map(|(name, value)| json!([name.as_str(), value.to_str().unwrap()])).collect();
    let body = body.collect().await.unwrap().to_bytes();
    json!({
        "servedBy": "legacy",
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "headers": headers,
        "body": BASE64_STANDARD.encode(body),
    })
}
