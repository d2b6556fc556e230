//! Middleware for handlers. Each middleware is a Tower layer, and all of them are built on the same trait.
//!
//! A [`Middleware`] reads the request before the handler receives it, then runs code before and after the handler's
//! future. [`MiddlewareLayer`] converts it to a [`tower::Layer`](Layer) for use in a `ServiceBuilder`.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use ferrite_runtime::middleware::{Middleware, MiddlewareLayer};
//! use ferrite_runtime::tower::{Service, ServiceBuilder};
//! use ferrite_runtime::{log, service_fn};
//!
//! /// Adds the client name to the log line of the request.
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

/// Code that runs before and after every call of a handler.
pub trait Middleware<Request, Response, Error>: Clone {
    /// Data that [`before`](Self::before) passes to [`around`](Self::around).
    type State: Send;

    /// Reads the request before the handler receives it.
    fn before(&self, request: &Request) -> Self::State;

    /// Runs `call`, which is the handler's [`Service::call`] and returns the future that [`around`] awaits.
    ///
    /// Override it if code that the handler runs before it returns its future needs a context, such as a task-local
    /// variable.
    ///
    /// [`around`]: Self::around
    fn enter<T>(state: &Self::State, call: impl FnOnce() -> T) -> T {
        let _ = state;
        call()
    }

    /// Awaits `work`, the handler's future, and runs code before and after it.
    fn around(
        state: Self::State,
        work: impl Future<Output = Result<Response, Error>> + Send,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

/// The Tower layer of a [`Middleware`], for handlers with the lifetime `'a`.
#[derive(Debug, Clone)]
pub struct MiddlewareLayer<'a, M> {
    middleware: M,
    // A handler and its future can borrow values that `main` created during init.
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<M> MiddlewareLayer<'_, M> {
    /// Creates a layer that applies `middleware`.
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

/// A handler wrapped in a [`Middleware`].
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
