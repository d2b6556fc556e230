//! Middleware around handlers. Each kind of middleware is one Tower layer, and all are built the same way.
//!
//! A [`Middleware`] reads the request before the handler receives it, then runs code around the handler's future.
//! [`MiddlewareLayer`] turns it into a [`tower::Layer`](Layer), so that it can be stacked in a `ServiceBuilder`.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use ferrite_runtime::middleware::{Middleware, MiddlewareLayer};
//! use ferrite_runtime::tower::{Service, ServiceBuilder};
//! use ferrite_runtime::{log, service_fn};
//!
//! /// Adds the name of the client to the log line of the request.
//! #[derive(Clone)]
//! struct ClientName;
//!
//! impl<P: Send, E: Send> Middleware<Request, P, E> for ClientName {
//!     type State = String;
//!
//!     fn before(&self, request: &Request) -> String {
//!         let name = request.headers().get("x-client").and_then(|name| name.to_str().ok());
//!         name.unwrap_or("unknown").to_owned()
//!     }
//!
//!     async fn around(client: String, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
//!         log::append_key("client", client);
//!         work.await
//!     }
//! }
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let service = ServiceBuilder::new().layer(MiddlewareLayer::new(ClientName)).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(service);
//! ```

use std::marker::PhantomData;
use std::task::{Context, Poll};

use lambda_runtime::tower::{Layer, Service};

use crate::BoxFuture;

/// Code that runs before and around every call of a handler.
pub trait Middleware<Request, Response, Error>: Clone {
    /// What the middleware keeps of the request while the handler runs.
    type State: Send;

    /// Reads the request before the handler receives it.
    fn before(&self, request: &Request) -> Self::State;

    /// Runs `call`, the synchronous part of the handler's [`Service::call`]: it returns the future that [`around`] awaits.
    ///
    /// Override it to set a context that the code before the handler's first `await` needs, too.
    ///
    /// [`around`]: Self::around
    fn enter<T>(state: &Self::State, call: impl FnOnce() -> T) -> T {
        let _ = state;
        call()
    }

    /// Runs around the handler's future, `work`.
    fn around(
        state: Self::State,
        work: impl Future<Output = Result<Response, Error>> + Send,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

/// A [`Middleware`] as a Tower layer, for handlers that live for `'a`.
#[derive(Debug, Clone)]
pub struct MiddlewareLayer<'a, M> {
    middleware: M,
    // A handler may borrow what `main` created in init, and so may its future.
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<M> MiddlewareLayer<'_, M> {
    /// Creates the layer of `middleware`.
    pub fn new(middleware: M) -> Self {
        Self { middleware, lifetime: PhantomData }
    }
}

impl<'a, M: Clone, S> Layer<S> for MiddlewareLayer<'a, M> {
    type Service = MiddlewareService<'a, M, S>;

    fn layer(&self, inner: S) -> Self::Service {
        MiddlewareService { middleware: self.middleware.clone(), inner, lifetime: PhantomData }
    }
}

/// A handler with a [`Middleware`] around it.
#[derive(Debug, Clone)]
pub struct MiddlewareService<'a, M, S> {
    middleware: M,
    inner: S,
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<'a, M, S, Request> Service<Request> for MiddlewareService<'a, M, S>
where
    M: Middleware<Request, S::Response, S::Error>,
    M::State: 'a,
    S: Service<Request>,
    S::Future: Send + 'a,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'a, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let state = self.middleware.before(&request);
        let work = M::enter(&state, || self.inner.call(request));
        Box::pin(async move { M::around(state, work).await })
    }
}
