//! GET /openapi.json and GET /docs: the API's contract, for programs and for people.

mod handler;

use ferrite_runtime::{InitError, http, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(handler::describe_api)).await
}
