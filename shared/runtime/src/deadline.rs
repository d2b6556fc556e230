//! Deadlines: stops a handler shortly before the function's timeout, which leaves time to log what it was doing.
//! Without this, Lambda would stop the process and nothing would be logged.
//!
//! The `serve` functions apply [`layer`] to every handler. To limit the time of one part of a handler, use
//! `tokio::time::timeout`.
//!
//! ```
//! use ferrite_runtime::deadline;
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let service = ServiceBuilder::new().layer(deadline::layer()).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(service);
//! ```

use std::pin::pin;
use std::time::Duration;

use crate::invocation;
use crate::middleware::{Middleware, MiddlewareLayer};

/// Time that is reserved for logging and for sending the response.
const MARGIN: Duration = Duration::from_millis(250);

/// The handler or record was stopped because its deadline was reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stopped before the function's timeout, while running: {}", running.join(" > "))]
pub struct DeadlineExceeded {
    /// The invocation, record and spans in progress, from outermost to innermost.
    pub running: Vec<String>,
}

/// Returns the layer that stops a handler shortly before the function's timeout. The handler then fails with
/// [`DeadlineExceeded`].
pub fn layer<'a>() -> MiddlewareLayer<'a, DeadlineMiddleware> {
    MiddlewareLayer::new(DeadlineMiddleware)
}

/// Returns the remaining processing time of the invocation; `None` outside an invocation, or if Lambda provided no
/// deadline.
pub(crate) fn time_left() -> Option<Duration> {
    let remaining = invocation::current(|scope| scope.invocation.remaining()).flatten()?;
    // If little time remains, most of it is used for processing.
    Some(remaining.saturating_sub(MARGIN.min(remaining / 4)))
}

/// Runs `work` with a time limit; `None` means no limit.
///
/// # Errors
/// Returns an error if `work` exceeds the time limit.
pub(crate) async fn within<T>(time_limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, DeadlineExceeded> {
    let Some(time_limit) = time_limit else { return Ok(work.await) };
    // Pinned here so that the spans of `work` are still open when the error collects their names.
    let mut work = pin!(work);
    let exceeded =
        |_| DeadlineExceeded { running: invocation::current(|scope| scope.invocation.running()).unwrap_or_default() };
    tokio::time::timeout(time_limit, work.as_mut()).await.map_err(exceeded)
}

/// The middleware created by [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct DeadlineMiddleware;

impl<Q, P: Send, E: From<DeadlineExceeded> + Send> Middleware<Q, P, E> for DeadlineMiddleware {
    type State = ();

    fn before(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        within(time_left(), work).await?
    }
}
