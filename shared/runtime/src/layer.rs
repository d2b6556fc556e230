//! What the concerns around a handler have in common: each is one Tower layer, and all are made the same way.
//!
//! A [`Concern`] looks at the request before the handler has it, then does its part around the handler's work. [`Around`]
//! makes a [`tower::Layer`](Layer) of it, so that concerns stack up as Tower's always do.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use ferrite_runtime::layer::{Around, Concern};
//! use ferrite_runtime::tower::{Service, ServiceBuilder};
//! use ferrite_runtime::{log, service_fn};
//!
//! /// Has the request's line say which client sent it.
//! #[derive(Clone)]
//! struct ClientNamed;
//!
//! impl<P: Send, E: Send> Concern<Request, P, E> for ClientNamed {
//!     type Seen = String;
//!
//!     fn see(&self, request: &Request) -> String {
//!         let name = request.headers().get("x-client").and_then(|name| name.to_str().ok());
//!         name.unwrap_or("unknown").to_owned()
//!     }
//!
//!     async fn around(client: String, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
//!         log::append("client", client);
//!         work.await
//!     }
//! }
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let named = ServiceBuilder::new().layer(Around::new(ClientNamed)).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(named);
//! ```

use std::marker::PhantomData;
use std::task::{Context, Poll};

use lambda_runtime::tower::{Layer, Service};

use crate::BoxFuture;

/// One concern: what is done around every call of a handler, whatever the handler does.
pub trait Concern<Request, Response, Error>: Clone {
    /// What it knows of the request while the handler has it.
    type Seen: Send;

    /// Looks at the request.
    fn see(&self, request: &Request) -> Self::Seen;

    /// Does its part around the handler's `work`.
    fn around(
        seen: Self::Seen,
        work: impl Future<Output = Result<Response, Error>> + Send,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

/// A [`Concern`] as a Tower layer, for handlers that live for `'a`.
#[derive(Debug, Clone)]
pub struct Around<'a, C> {
    concern: C,
    // A handler borrows what `main` made in init, and its future does too.
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<C> Around<'_, C> {
    /// The layer of `concern`.
    pub fn new(concern: C) -> Self {
        Self { concern, lifetime: PhantomData }
    }
}

impl<'a, C: Clone, S> Layer<S> for Around<'a, C> {
    type Service = Surrounded<'a, C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Surrounded { concern: self.concern.clone(), inner, lifetime: PhantomData }
    }
}

/// A handler with a [`Concern`] around it.
#[derive(Debug, Clone)]
pub struct Surrounded<'a, C, S> {
    concern: C,
    inner: S,
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<'a, C, S, Request> Service<Request> for Surrounded<'a, C, S>
where
    C: Concern<Request, S::Response, S::Error>,
    C::Seen: 'a,
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
        let seen = self.concern.see(&request);
        let work = self.inner.call(request);
        Box::pin(async move { C::around(seen, work).await })
    }
}
