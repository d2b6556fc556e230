//! OPTIONS on every path: responds to the CORS preflight requests that browsers send before a cross-origin request.

mod handler;

use ferrite_runtime::config::{self, ConfigError};
use ferrite_runtime::{InitError, http, service_fn};
use serde::Deserialize;

use crate::handler::Routes;

#[derive(Deserialize)]
struct Settings {
    /// A JSON object from each route path to its allowed methods, such as `{"/notes": "GET, HEAD, POST"}`.
    methods: String,
    /// The legacy backend that serves the other methods, or an empty string.
    #[serde(default)]
    legacy_origin: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let methods = serde_json::from_str(&settings.methods).map_err(|error| ConfigError::invalid("METHODS", error))?;
    let routes = Routes { methods, forwards_other_methods: !settings.legacy_origin.is_empty() };
    http::serve(service_fn(|request| handler::answer_preflight(&routes, request))).await
}
