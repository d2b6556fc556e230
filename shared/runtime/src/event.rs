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

use lambda_runtime::tower::{Service, ServiceBuilder};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::invocation::InvocationEvent;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};
use crate::{Failure, InitError, deadline, invocation, log, metrics, panics, shutdown, trace};

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
    let service = service_fn(move |event: LambdaEvent<A>| {
        let work = handler(event.payload);
        // Boxed because futures of nested SDK calls can exceed the compiler's limits for type layout.
        Box::pin(async move { work.await.map(HandlerResponse) })
    });
    run(service).await
}

/// Runs the function with a service whose results can be classified.
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
