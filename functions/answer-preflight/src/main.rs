//! OPTIONS on every path: responds to the CORS preflight requests that browsers send before a cross-origin request.

mod handler;

use ferrite_runtime::config::{self, ConfigError};
use ferrite_runtime::{InitError, http, service_fn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    /// A JSON object from each route path to its allowed methods, such as `{"/notes": "GET, HEAD, POST"}`.
    methods: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let methods = serde_json::from_str(&settings.methods).map_err(|error| ConfigError::invalid("METHODS", error))?;
    http::serve(service_fn(|request| handler::answer_preflight(&methods, request))).await
}
