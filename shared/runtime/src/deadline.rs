//! The deadline: what runs too long is cut off while there is still time to say what it was, before Lambda ends the
//! process without a word.
//!
//! Every function's handler is under [`layer`]; a handler that wants less time for a part of its work says so itself, with
//! `tokio::time::timeout`.
//!
//! ```
//! use ferrite_runtime::deadline;
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let in_time = ServiceBuilder::new().layer(deadline::layer()).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(in_time);
//! ```

use std::pin::pin;
use std::time::Duration;

use crate::invocation;
use crate::layer::{Around, Concern};

/// What is left for saying that the work was cut off, and for sending the answer.
const MARGIN: Duration = Duration::from_millis(250);

/// The work was cut off, shortly before Lambda would have ended it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cut off before the function's timeout, while running: {}", running.join(" > "))]
pub struct CutOff {
    /// What was running, the outermost first.
    pub running: Vec<String>,
}

/// The layer that gives a handler until shortly before the function's timeout, and fails with [`CutOff`] then.
pub fn layer<'a>() -> Around<'a, Bounded> {
    Around::new(Bounded)
}

/// How long the invocation may still work; `None` outside of one, or when Lambda did not say.
pub(crate) fn time_left() -> Option<Duration> {
    let remaining = invocation::current(|scope| scope.invocation.remaining()).flatten()?;
    // Of a very short time, most is for the work.
    Some(remaining.saturating_sub(MARGIN.min(remaining / 4)))
}

/// Runs `work` to its end, or for `time` where that is given.
///
/// # Errors
/// There was not time enough for it.
pub(crate) async fn within<T>(time: Option<Duration>, work: impl Future<Output = T>) -> Result<T, CutOff> {
    let Some(time) = time else { return Ok(work.await) };
    // Pinned here, so that it is not dropped, and what it was doing not forgotten, before that is told.
    let mut work = pin!(work);
    let cut_off = |_| CutOff { running: invocation::current(|scope| scope.invocation.running()).unwrap_or_default() };
    tokio::time::timeout(time, work.as_mut()).await.map_err(cut_off)
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Bounded;

impl<Q, P: Send, E: From<CutOff> + Send> Concern<Q, P, E> for Bounded {
    type Seen = ();

    fn see(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        within(time_left(), work).await?
    }
}
