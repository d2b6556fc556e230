//! GET /openapi.json and GET /docs: returns the OpenAPI document or the documentation page.

mod handler;

use ferrite_runtime::{InitError, http, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(handler::describe_api)).await
}
