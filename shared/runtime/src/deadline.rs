//! The deadline: stops a handler shortly before the function's timeout, so that there is time to log what it was doing.
//! Lambda itself would end the process without a line.
//!
//! The `serve` functions put every handler under [`layer`]. Use `tokio::time::timeout` to limit a part of a handler.
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

/// Time reserved for logging and for sending the response.
const MARGIN: Duration = Duration::from_millis(250);

/// The work was stopped shortly before Lambda would have ended it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stopped before the function's timeout, while running: {}", running.join(" > "))]
pub struct DeadlineExceeded {
    /// The invocation, record and spans in progress, the outermost first.
    pub running: Vec<String>,
}

/// The layer that stops a handler shortly before the function's timeout, with [`DeadlineExceeded`].
pub fn layer<'a>() -> MiddlewareLayer<'a, DeadlineMiddleware> {
    MiddlewareLayer::new(DeadlineMiddleware)
}

/// The time that the invocation may still work; `None` outside of one, or if Lambda provided no deadline.
pub(crate) fn time_left() -> Option<Duration> {
    let remaining = invocation::current(|scope| scope.invocation.remaining()).flatten()?;
    // A very short time goes mostly to the work.
    Some(remaining.saturating_sub(MARGIN.min(remaining / 4)))
}

/// Runs `work` to completion, or for at most `time`.
///
/// # Errors
/// The time was over first.
pub(crate) async fn within<T>(time: Option<Duration>, work: impl Future<Output = T>) -> Result<T, DeadlineExceeded> {
    let Some(time) = time else { return Ok(work.await) };
    // Pinned here, so that its spans are still open when the error names them.
    let mut work = pin!(work);
    let exceeded =
        |_| DeadlineExceeded { running: invocation::current(|scope| scope.invocation.running()).unwrap_or_default() };
    tokio::time::timeout(time, work.as_mut()).await.map_err(exceeded)
}

/// The middleware of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct DeadlineMiddleware;

impl<Q, P: Send, E: From<DeadlineExceeded> + Send> Middleware<Q, P, E> for DeadlineMiddleware {
    type State = ();

    fn before(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        within(time_left(), work).await?
    }
}
