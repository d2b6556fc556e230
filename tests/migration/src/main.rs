//! The function that serves the moved route in the tests: returns the request as JSON.

#[cfg(test)]
mod templates;

use ::http::StatusCode;
use ferrite_runtime::http::{self, JsonBody, Problem, Request, Response};
use ferrite_runtime::{InitError, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(describe_request)).await
}

async fn describe_request(request: Request) -> Result<Response, Problem> {
    let body = if request.body().is_empty() { Value::Null } else { JsonBody::read(&request)?.value().clone() };
    http::json(StatusCode::OK, &json!({"servedBy": "function", "method": request.method().as_str(), "body": body}))
}
