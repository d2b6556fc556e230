//! Running a handler behind API Gateway.

use std::convert::Infallible;
use std::time::Instant;

use lambda_http::{RequestExt, service_fn};
use serde_json::json;

use super::{Problem, Request, Response};
use crate::{InitError, log, panics};

/// Serves requests with `handler` for as long as the function lives.
///
/// # Errors
/// The Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(handler: H) -> Result<(), InitError>
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    lambda_http::run(service_fn(|request| {
        let (line, work) = (Line::new(&request), handler(request));
        async move { Ok::<_, Infallible>(line.write(answered(work).await)) }
    }))
    .await?;
    Ok(())
}

/// The answer to one request, as [`serve`] gives it, for tests of a handler.
pub async fn answer(work: impl Future<Output = Result<Response, Problem>>) -> Response {
    answered(work).await.unwrap_or_else(|problem| problem.into_response("test"))
}

async fn answered(work: impl Future<Output = Result<Response, Problem>>) -> Result<Response, Problem> {
    panics::caught(work).await.unwrap_or_else(|panicked| Err(Problem::internal(panicked)))
}

/// The one line that a request writes to the log.
struct Line {
    method: http::Method,
    path: String,
    request_id: String,
    begin: Instant,
}

impl Line {
    fn new(request: &Request) -> Self {
        let request_id = request.lambda_context_ref().map(|context| {
            log::begin(context);
            context.request_id.clone()
        });
        Self {
            method: request.method().clone(),
            path: request.raw_http_path().to_owned(),
            request_id: request_id.unwrap_or_default(),
            begin: Instant::now(),
        }
    }

    fn write(self, answered: Result<Response, Problem>) -> Response {
        let mut fields = json!({
            "method": self.method.as_str(),
            "path": self.path,
            "duration_ms": self.begin.elapsed().as_millis() as u64,
        });
        match answered {
            Ok(response) => {
                fields["status"] = response.status().as_u16().into();
                log::info("the request was carried out", fields);
                response
            }
            Err(problem) => {
                fields["status"] = problem.status().as_u16().into();
                fields["problem"] = problem.kind().into();
                if let Some(cause) = problem.cause() {
                    fields["error"] = log::chain(cause).into();
                }
                if problem.status().is_server_error() {
                    log::error("the request failed", fields);
                } else {
                    log::info("the request was refused", fields);
                }
                problem.into_response(&self.request_id)
            }
        }
    }
}
