//! A panic in a handler is that request's or that record's failure, and nobody else's.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use ferrite_runtime::panics;
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let caught = ServiceBuilder::new().layer(panics::layer()).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(caught);
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo};

use futures_util::FutureExt;

use crate::layer::{Around, Concern};

/// A panic: what it said and where it began.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked: {says}")]
pub struct Panicked {
    says: String,
    /// File and line.
    pub(crate) at: Option<(String, u32)>,
}

thread_local! {
    static LAST: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// Has panics remembered for [`caught`], in place of Rust's own report on stderr, which is no line of the log.
pub(crate) fn init() {
    std::panic::set_hook(Box::new(remember));
}

fn remember(panic: &PanicHookInfo<'_>) {
    LAST.set(panic.location().map(|at| (at.file().to_owned(), at.line())));
}

/// The layer that makes a panic of the handler its error.
pub fn layer<'a>() -> Around<'a, Caught> {
    Around::new(Caught)
}

/// Runs `work` to its end, be it a panic.
///
/// Nothing that a handler holds on to from one call to the next is changed in place, so there is no half-changed state
/// to be seen afterwards.
///
/// # Errors
/// It panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.map_err(|payload| Panicked { says: message(&*payload), at: LAST.take() })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Caught;

impl<Q, P: Send, E: From<Panicked> + Send> Concern<Q, P, E> for Caught {
    type Seen = ();

    fn see(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        caught(work).await?
    }
}
