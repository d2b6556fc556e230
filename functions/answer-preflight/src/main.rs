//! OPTIONS of every path: what a browser asks before it sends the request of a page of another origin.

mod handler;

use ferrite_runtime::config::{self, ConfigError};
use ferrite_runtime::{InitError, http, service_fn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    /// The methods of each path, as JSON.
    methods: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let methods = serde_json::from_str(&settings.methods).map_err(|error| ConfigError::malformed("METHODS", error))?;
    http::serve(service_fn(|request| handler::answer_preflight(&methods, request))).await
}
