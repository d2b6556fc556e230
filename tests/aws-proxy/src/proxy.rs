//! The server that functions take for AWS.

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

/// A connection of a function to the proxy. Only both ends together identify it, because a port may be in use for several.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The function's end.
    pub function: SocketAddr,
    /// The proxy's end.
    pub proxy: SocketAddr,
}

/// A call of a function.
#[derive(Debug)]
pub struct Call {
    /// The connection that it came on.
    pub connection: Connection,
    /// The head of the request.
    pub head: Parts,
    /// The body of the request.
    pub body: Bytes,
}

/// Decides what happens to each call.
pub trait Interceptor: Send + Sync + 'static {
    /// The response to a call, usually of [`Upstream::forward`].
    ///
    /// # Errors
    /// When the call is to get no response.
    fn intercept(&self, call: Call, upstream: &Upstream)
    -> impl Future<Output = Result<Response<Bytes>, NoResponse>> + Send;
}

/// Forwards every call.
#[derive(Debug, Clone, Copy)]
pub struct ForwardAll;

impl Interceptor for ForwardAll {
    async fn intercept(&self, call: Call, upstream: &Upstream) -> Result<Response<Bytes>, NoResponse> {
        upstream.forward(call.head, call.body).await
    }
}

/// A proxy on a port of its own. It and its connections are gone when it is dropped.
#[derive(Debug)]
pub struct Proxy<I> {
    /// Where it listens: the `AWS_ENDPOINT_URL` of functions.
    pub address: SocketAddr,
    /// Decides what happens to each call.
    pub interceptor: Arc<I>,
    upstream: Arc<Upstream>,
    server: JoinHandle<()>,
}

impl<I: Interceptor> Proxy<I> {
    /// Listens on `port` of this machine, or on any free port for 0, and forwards calls to `emulator`.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn open(port: u16, emulator: SocketAddr, interceptor: I) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (upstream, interceptor) = (Arc::new(Upstream::new(emulator)?), Arc::new(interceptor));
        let server = tokio::spawn(serve(listener, address, Arc::clone(&upstream), Arc::clone(&interceptor)));
        Ok(Self { address, interceptor, upstream, server })
    }

    /// Sets the functions, once they have been deployed. Until then, callers are unknown.
    pub fn set_functions(&self, functions: Functions) {
        self.upstream.set_functions(functions);
    }

    /// The permissions that functions used since the proxy was opened, or since [`Proxy::clear_record`].
    #[must_use]
    pub fn record(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.upstream.record.get()
    }

    /// Starts a new record.
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
        let (upstream, interceptor) = (Arc::clone(&upstream), Arc::clone(&interceptor));
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
    // In a task of its own: AWS carries out a call that it has received, even if the caller is dead by then.
    let response = tokio::spawn(async move { interceptor.intercept(Call { connection, head, body }, &upstream).await });
    let response = response.await.unwrap_or_else(|ended| Err(NoResponse::Upstream(ended.into())))?;
    Ok(response.map(Full::new))
}
