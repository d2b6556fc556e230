//! Handlers for events that no other module covers, such as requests to a Lambda authorizer. The function returns the
//! handler's response to its invoker.
//!
//! ```no_run
//! use ferrite_runtime::{Failure, InitError, event};
//!
//! #[derive(serde::Deserialize)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), InitError> {
//!     event::serve(async |greeting: Greeting| match greeting.name.as_str() {
//!         "" => Err(Failure::reject("the name is empty")),
//!         name => Ok(format!("Hello, {name}!")),
//!     })
//!     .await
//! }
//! ```

use lambda_runtime::tower::ServiceBuilder;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::invocation::InvocationEvent;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};
use crate::{BoxFuture, Failure, InitError, LocalBoxFuture, deadline, invocation, log, metrics, panics, shutdown, trace};

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

/// The response of a handler. The newtype avoids overlapping implementations of [`Classify`].
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct HandlerResponse<R>(pub(crate) R);

impl<R> Classify for Result<HandlerResponse<R>, Failure> {
    fn counts(&self) -> OutcomeCounts {
        self.as_ref().map_or_else(Failure::outcome, |_| Outcome::Succeeded).into()
    }

    fn summary(&self) -> LogSummary {
        let (message, exception) = match self {
            Ok(_) => ("the event was processed", None),
            Err(failure) => {
                let rejected = failure.outcome() == Outcome::Rejected;
                let message = if rejected { "the event was rejected" } else { "the event failed" };
                (message, Some(Exception::new(failure.cause())))
            }
        };
        LogSummary { message, fields: Map::new(), exception }
    }
}

/// Runs the function: passes each event to `handler` and returns its response.
///
/// If the handler fails, panics or exceeds the deadline, the invocation fails. The invoker determines whether it is
/// retried.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<A, R, H, F>(handler: H) -> Result<(), InitError>
where
    A: for<'de> Deserialize<'de> + Send,
    R: Serialize + Send,
    H: Fn(A) -> F,
    F: Future<Output = Result<R, Failure>> + Send,
{
    let handler = &handler;
    run(Box::new(move |payload| {
        let work = handler(payload);
        Box::pin(async move { work.await.map(HandlerResponse) })
    }))
    .await
}

/// A handler whose type is erased. The middleware and the Lambda runtime are compiled once in this crate for it, and not
/// again in each function for the type of its handler. The argument is the payload of the event.
pub(crate) type BoxedHandler<'a, A, R> = Box<dyn FnMut(A) -> BoxFuture<'a, Result<R, Failure>> + 'a>;

/// Runs the function with a handler whose results can be classified.
///
/// The future is boxed because the code of an `async fn` is compiled in the crate that polls it.
pub(crate) fn run<'a, A, R>(mut handler: BoxedHandler<'a, A, R>) -> LocalBoxFuture<'a, Result<(), InitError>>
where
    A: for<'de> Deserialize<'de> + 'a,
    R: Serialize + Send + 'a,
    Result<R, Failure>: Classify,
{
    Box::pin(async move {
        log::init()?;
        let stack = ServiceBuilder::new()
            .layer(invocation::layer())
            .layer(trace::layer())
            .layer(log::layer())
            .layer(metrics::layer())
            .layer(deadline::layer())
            .layer(panics::layer())
            .service(service_fn(move |event: LambdaEvent<A>| handler(event.payload)));
        shutdown::until_terminated(lambda_runtime::run(stack)).await
    })
}

/// Runs a function that is invoked asynchronously, so it returns no response.
pub(crate) fn run_without_response(mut handler: BoxedHandler<'_, Value, ()>) -> LocalBoxFuture<'_, Result<(), InitError>> {
    run(Box::new(move |event| {
        let work = handler(event);
        Box::pin(async { work.await.map(HandlerResponse) })
    }))
}
