//! A handler of events that are delivered as a whole: a batch of a stream, a notification from S3.

use std::error::Error;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::json;

use crate::{InitError, log, panics};

/// Serves events with `handler` for as long as the function lives. When the handler fails or panics the invocation
/// fails, and whatever invoked the function tries again as its configuration says.
///
/// # Errors
/// The Lambda Runtime API cannot be reached.
pub async fn serve<A, H, F, E>(handler: H) -> Result<(), InitError>
where
    A: for<'de> Deserialize<'de>,
    H: Fn(A) -> F,
    F: Future<Output = Result<(), E>>,
    E: Error + 'static,
{
    let handler = &handler;
    lambda_runtime::run(service_fn(|event: LambdaEvent<A>| async move {
        log::begin(&event.context);
        let (error_type, reason) = match panics::caught(Box::pin(handler(event.payload))).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => ("HandlerFailed", log::chain(&error)),
            Err(panicked) => ("HandlerPanicked", log::chain(&panicked)),
        };
        log::error("the event was not handled", json!({ "error": reason }));
        Err(Diagnostic { error_type: error_type.to_owned(), error_message: reason })
    }))
    .await?;
    Ok(())
}
