//! The upstream of the proxy: the emulator.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::functions::Functions;
use crate::record::{PendingCall, Record};

/// A reason for not responding to a call. hyper then closes the connection.
#[derive(Debug, thiserror::Error)]
pub enum NoResponse {
    /// The interceptor closed the connection deliberately.
    #[error("the connection was closed deliberately")]
    Dropped,
    /// The request is incomplete, because the function died while sending it.
    #[error("the request is incomplete")]
    Request(#[source] hyper::Error),
    /// The emulator did not respond.
    #[error("the emulator did not respond: {0}")]
    Upstream(Box<dyn Error + Send + Sync>),
    /// The interceptor failed.
    #[error("the interceptor failed: {0}")]
    Interceptor(Box<dyn Error + Send + Sync>),
}

/// The emulator, the functions that call it, and the record of their calls.
#[derive(Debug)]
pub struct Upstream {
    emulator: Authority,
    client: Client<HttpConnector, Full<Bytes>>,
    functions: Mutex<Arc<Functions>>,
    pub(crate) record: Record,
}

impl Upstream {
    /// # Errors
    /// Returns an error if the address is not a valid URL authority.
    pub(crate) fn new(emulator: SocketAddr) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // The emulator may close a pooled connection while a call is being sent on it. The proxy would then cause a
            // failure.
            .pool_max_idle_per_host(0)
            // Keep the Host header: functions sign the host name of the proxy.
            .set_host(false)
            .build(connector);
        Ok(Self {
            emulator: emulator.to_string().parse().map_err(io::Error::other)?,
            client,
            functions: Mutex::default(),
            record: Record::default(),
        })
    }

    /// The deployed functions.
    #[must_use]
    pub fn functions(&self) -> Arc<Functions> {
        Arc::clone(&self.lock())
    }

    pub(crate) fn set_functions(&self, functions: Functions) {
        *self.lock() = Arc::new(functions);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Functions>> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards a call to the emulator, records it and returns the response.
    ///
    /// # Errors
    /// Returns an error if the emulator does not respond.
    pub async fn forward(&self, mut head: Parts, body: Bytes) -> Result<Response<Bytes>, NoResponse> {
        let functions = self.functions();
        let pending = PendingCall::new(&functions, &head, &body);
        let mut uri = head.uri.into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(self.emulator.clone());
        head.uri = Uri::from_parts(uri).map_err(|error| NoResponse::Upstream(error.into()))?;
        remove_hop_by_hop(&mut head.headers);
        let request = Request::from_parts(head, Full::new(body));
        let response = self.client.request(request).await.map_err(|error| NoResponse::Upstream(error.into()))?;
        let (mut head, body) = response.into_parts();
        remove_hop_by_hop(&mut head.headers);
        let body = body.collect().await.map_err(|error| NoResponse::Upstream(error.into()))?;
        let response = Response::from_parts(head, body.to_bytes());
        if let Some(pending) = pending {
            self.record.add(pending, &response);
        }
        Ok(response)
    }
}

/// Removes the hop-by-hop headers (RFC 9110, section 7.6.1), and `Expect`, because the body has already been received.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}
