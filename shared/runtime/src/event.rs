//! A handler of events that are delivered as a whole: a notification from S3, a schedule, a request to an authorizer.
//!
//! ```no_run
//! use ferrite_runtime::{InitError, event};
//!
//! #[derive(serde::Deserialize)]
//! struct Tick {
//!     time: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), InitError> {
//!     event::serve(async |tick: Tick| match tick.time.as_str() {
//!         "" => Err(event::Failure::failed("a schedule without a time")),
//!         _ => Ok(()),
//!     })
//!     .await
//! }
//! ```

use std::error::Error;

use lambda_runtime::tower::{Service, ServiceBuilder};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::invocation::InvocationEvent;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};
use crate::{InitError, deadline, invocation, log, metrics, panics, shutdown, trace};

/// Why an event was not handled.
#[derive(Debug)]
pub struct Failure {
    outcome: Outcome,
    cause: Box<dyn Error + Send + Sync>,
    says: Option<&'static str>,
}

impl Failure {
    /// It may go better later: whatever invoked the function tries again, as its configuration says.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { outcome: Outcome::Failed, cause: cause.into(), says: None }
    }

    /// It is not to be handled, and this is no fault of the function's. The invoker is told `says` and no more.
    pub fn refused(cause: impl Into<Box<dyn Error + Send + Sync>>, says: &'static str) -> Self {
        Self { outcome: Outcome::Rejected, cause: cause.into(), says: Some(says) }
    }

    /// What led to it.
    pub fn cause(&self) -> &(dyn Error + 'static) {
        &*self.cause
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_message = failure.says.map_or_else(|| log::error_chain(failure.cause()), ToOwned::to_owned);
        Self { error_type: format!("{:?}", failure.outcome), error_message }
    }
}

impl<A> InvocationEvent for LambdaEvent<A> {
    fn context(&self) -> Context {
        self.context.clone()
    }

    fn name(&self) -> String {
        "an event".to_owned()
    }

    fn fields(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// What a handler answers to an event.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Answer<R>(R);

impl<R> Classify for Result<Answer<R>, Failure> {
    fn counts(&self) -> OutcomeCounts {
        self.as_ref().map_or_else(|failure| failure.outcome, |_| Outcome::Succeeded).into()
    }

    fn summary(&self) -> LogSummary {
        let (message, exception) = match self {
            Ok(_) => ("the event was processed", None),
            Err(failure) => {
                let rejected = failure.outcome == Outcome::Rejected;
                let message = if rejected { "the event was rejected" } else { "the event failed" };
                (message, Some(Exception::new(failure.cause())))
            }
        };
        LogSummary { message, fields: Map::new(), exception }
    }
}

/// Serves events with `handler` for as long as the function lives. When the handler fails or panics, or the time is up,
/// the invocation fails, and whatever invoked the function tries again as its configuration says.
///
/// # Errors
/// A setting is malformed, or the Lambda Runtime API cannot be reached.
pub async fn serve<A, R, H, F>(handler: H) -> Result<(), InitError>
where
    A: for<'de> Deserialize<'de> + Send,
    R: Serialize + Send,
    H: Fn(A) -> F,
    F: Future<Output = Result<R, Failure>> + Send,
{
    let handler = &handler;
    let answer = service_fn(move |event: LambdaEvent<A>| {
        let work = handler(event.payload);
        // Boxed: the futures of SDK calls nest so deep that the compiler gives up on laying out what holds them by value.
        Box::pin(async move { work.await.map(Answer) })
    });
    run(answer).await
}

/// Serves events with a service that answers in whatever way can be judged.
pub(crate) async fn run<S, A, R>(service: S) -> Result<(), InitError>
where
    A: for<'de> Deserialize<'de>,
    S: Service<LambdaEvent<A>, Response = R, Error = Failure>,
    S::Future: Send,
    R: Serialize + Send,
    Result<R, Failure>: Classify,
{
    log::init()?;
    let stack = ServiceBuilder::new()
        .layer(invocation::layer())
        .layer(trace::layer())
        .layer(log::layer())
        .layer(metrics::layer())
        .layer(deadline::layer())
        .layer(panics::layer())
        .service(service);
    shutdown::until_terminated(lambda_runtime::run(stack)).await
}
