//! Panic handling: converts a handler's panic to an error of the request or record, without affecting other requests or
//! records.
//!
//! A panic in other code, such as a spawned task or init, is logged with its location.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, no_content};
//! use ferrite_runtime::panics;
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! let handler = service_fn(async |_: Request| Ok::<Response, Problem>(no_content()));
//! let service = ServiceBuilder::new().layer(panics::layer()).service(handler);
//! # fn is_service<S: Service<Request, Response = Response, Error = Problem>>(_: S) {}
//! # is_service(service);
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use lambda_runtime::tower::{Layer, Service};

use crate::{BoxFuture, log};

/// A panic that was caught: its message and its location.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {message}")]
pub struct PanicError {
    message: String,
    location: Option<PanicLocation>,
}

/// The file and line of a panic.
#[derive(Debug, Clone)]
pub(crate) struct PanicLocation {
    pub(crate) file: String,
    pub(crate) line: u32,
}

impl From<&Location<'_>> for PanicLocation {
    fn from(location: &Location<'_>) -> Self {
        Self { file: location.file().to_owned(), line: location.line() }
    }
}

impl PanicError {
    fn new(payload: &(dyn Any + Send), location: Option<PanicLocation>) -> Self {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self { message: text.unwrap_or_else(|| "without a message".to_owned()), location }
    }

    pub(crate) fn location(&self) -> Option<&PanicLocation> {
        self.location.as_ref()
    }
}

thread_local! {
    static LAST_LOCATION: RefCell<Option<PanicLocation>> = const { RefCell::new(None) };
}

tokio::task_local! {
    /// Set while [`catch`] or [`CatchPanicService`] runs code whose panics it catches.
    static CATCHING: ();
}

/// Replaces Rust's default panic hook, which writes plain text to stderr, with a hook that writes a log line.
pub(crate) fn init() {
    std::panic::set_hook(Box::new(hook));
}

fn hook(info: &PanicHookInfo<'_>) {
    let location = info.location().map(PanicLocation::from);
    if CATCHING.try_with(|()| ()).is_ok() {
        LAST_LOCATION.set(location);
        return;
    }
    let text = info.payload_as_str().unwrap_or("without a message").to_owned();
    log::panic(&PanicError { message: text, location });
}

/// Runs `work` to completion and returns a panic as an error.
///
/// This function asserts unwind safety. A handler that panics must not leave shared state in an inconsistent state.
///
/// # Errors
/// Returns an error if `work` panics.
pub async fn catch<T>(work: impl Future<Output = T>) -> Result<T, PanicError> {
    let result = CATCHING.scope((), AssertUnwindSafe(work).catch_unwind()).await;
    result.map_err(|payload| PanicError::new(&*payload, LAST_LOCATION.take()))
}

/// Returns the layer that converts a panic of the handler to the handler's error type.
pub fn layer<'a>() -> CatchPanicLayer<'a> {
    CatchPanicLayer(PhantomData)
}

/// The layer created by [`layer`].
#[derive(Debug, Clone)]
pub struct CatchPanicLayer<'a>(PhantomData<fn() -> &'a ()>);

impl<'a, S> Layer<S> for CatchPanicLayer<'a> {
    type Service = CatchPanicService<'a, S>;

    fn layer(&self, inner: S) -> Self::Service {
        CatchPanicService { inner, lifetime: PhantomData }
    }
}

/// A handler whose panics are returned as errors; see [`layer`].
#[derive(Debug, Clone)]
pub struct CatchPanicService<'a, S> {
    inner: S,
    lifetime: PhantomData<fn() -> &'a ()>,
}

impl<'a, S, Request> Service<Request> for CatchPanicService<'a, S>
where
    S: Service<Request>,
    S::Error: From<PanicError>,
    S::Future: Send + 'a,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'a, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // A handler can also panic before it returns its future.
        let call = AssertUnwindSafe(|| self.inner.call(request));
        let result = CATCHING.sync_scope((), || catch_unwind(call));
        let result = result.map_err(|payload| PanicError::new(&*payload, LAST_LOCATION.take()));
        Box::pin(async move { catch(result?).await? })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{set_hook, take_hook};

    use super::*;
    use crate::log::testing::take_lines;

    #[tokio::test]
    async fn logs_an_uncaught_panic_with_its_location() {
        let default_hook = take_hook();
        set_hook(Box::new(hook));
        let caught: Result<(), _> = catch(async { panic!("expected") }).await;
        let line = line!() + 1;
        let uncaught: Result<(), _> = catch_unwind(|| panic!("ouch"));
        set_hook(default_hook);
        assert!(caught.unwrap_err().location().is_some() && uncaught.is_err());
        let [written] = &take_lines()[..] else { panic!("expected one line") };
        assert_eq!((&written["level"], &written["exception"]), (&"ERROR".into(), &"panicked: ouch".into()));
        assert_eq!(written["location"], format!("{}:{line}", file!()));
    }
}
