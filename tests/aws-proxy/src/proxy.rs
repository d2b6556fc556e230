//! The proxy server, which functions use as their AWS endpoint.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::functions::Functions;
use crate::record::{UseCounts, UsedPermission};
use crate::upstream::{NoResponse, Upstream};

/// A connection of a function to the proxy. It is identified by both addresses, because several connections may share a
/// port.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// Address of the function's socket.
    pub function: SocketAddr,
    /// Address of the proxy's socket.
    pub proxy: SocketAddr,
}

/// An AWS call that a function sent to the proxy.
#[derive(Debug)]
pub struct Call {
    /// The connection on which the call was received.
    pub connection: Connection,
    /// Head of the request.
    pub head: Parts,
    /// Body of the request.
    pub body: Bytes,
}

/// Decides what happens to each call.
pub trait Interceptor: Send + Sync + 'static {
    /// Returns the response to a call, usually the one that [`Upstream::forward`] returns.
    ///
    /// # Errors
    /// Returns an error to close the connection without a response.
    fn intercept(&self, call: Call, upstream: &Upstream)
    -> impl Future<Output = Result<Response<Bytes>, NoResponse>> + Send;
}

/// An interceptor that forwards every call.
#[derive(Debug, Clone, Copy)]
pub struct ForwardAll;

impl Interceptor for ForwardAll {
    async fn intercept(&self, call: Call, upstream: &Upstream) -> Result<Response<Bytes>, NoResponse> {
        upstream.forward(call.head, call.body).await
    }
}

/// A running proxy. Dropping it stops the server and closes its connections.
#[derive(Debug)]
pub struct Proxy<I> {
    /// Address of the server: the `AWS_ENDPOINT_URL` of functions.
    pub address: SocketAddr,
    /// The interceptor of every call.
    pub interceptor: Arc<I>,
    upstream: Arc<Upstream>,
    server: JoinHandle<()>,
}

impl<I: Interceptor> Proxy<I> {
    /// Starts a proxy in front of `emulator` on `port` of the loopback interface. Port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if the port is not available.
    pub async fn open(port: u16, emulator: SocketAddr, interceptor: I) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let upstream = Arc::new(Upstream::new(emulator)?);
        let interceptor = Arc::new(interceptor);
        let server = tokio::spawn(serve(listener, address, Arc::clone(&upstream), Arc::clone(&interceptor)));
        Ok(Self { address, interceptor, upstream, server })
    }

    /// Sets the deployed functions. Before that, all callers are unknown.
    pub fn set_functions(&self, functions: Functions) {
        self.upstream.set_functions(functions);
    }

    /// Returns the permissions that functions have used since the proxy was opened or [`Proxy::clear_record`] was
    /// called.
    #[must_use]
    pub fn record(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.upstream.record.get()
    }

    /// Clears the record.
    pub fn clear_record(&self) {
        self.upstream.record.clear();
    }
}

impl<I> Drop for Proxy<I> {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve<I: Interceptor>(listener: TcpListener, proxy: SocketAddr, upstream: Arc<Upstream>, interceptor: Arc<I>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, function)) = listener.accept().await {
        // Nagle's algorithm would delay every call.
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let upstream = Arc::clone(&upstream);
        let interceptor = Arc::clone(&interceptor);
        let connection = Connection { function, proxy };
        let service =
            service_fn(move |request| receive(connection, request, Arc::clone(&upstream), Arc::clone(&interceptor)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn receive<I: Interceptor>(
    connection: Connection,
    request: Request<Incoming>,
    upstream: Arc<Upstream>,
    interceptor: Arc<I>,
) -> Result<Response<Full<Bytes>>, NoResponse> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(NoResponse::Request)?.to_bytes();
    // Runs in its own task, because AWS also completes a call that it has received when the caller has died.
    let response = tokio::spawn(async move { interceptor.intercept(Call { connection, head, body }, &upstream).await });
    let response = response.await.unwrap_or_else(|error| Err(NoResponse::Upstream(error.into())))?;
    Ok(response.map(Full::new))
}
