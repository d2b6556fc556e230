//! A handler of events that no other module is for, such as requests to an authorizer. Its response is returned to whatever
//! invoked the function.
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
//!         "" => Err(Failure::reject("a greeting without a name")),
//!         name => Ok(format!("Hello {name}")),
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

/// The response of a handler.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Answer<R>(R);

impl<R> Classify for Result<Answer<R>, Failure> {
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

/// Serves events with `handler` for as long as the function lives. When the handler fails, panics or runs out of time, the
/// invocation fails; whether it is retried depends on what invoked the function.
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
        // Boxed: the futures of SDK calls nest so deep that the compiler gives up on their layout.
        Box::pin(async move { work.await.map(Answer) })
    });
    run(answer).await
}

/// Serves events with a service whose results can be classified.
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
