//! Demo data for a new stack: one note. It is created through the HTTP API.

use std::path::Path;

use ferrite_aws_client::endpoint::http_client;
use serde_json::Value;

/// ID of the user who writes the demo note.
pub const USER: &str = "demo-user";

/// Key of the request that creates the note, so that a repeated request returns the same note.
const KEY: &str = "demo-note";
const NOTE: &str = r#"{"text":"Buy milk"}"#;

/// Error returned when the demo data cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("POST /notes failed: {0}")]
pub struct DemoError(String);

/// The demo data, for sample requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// ID of the note.
    pub note: String,
}

/// Creates a note of [`USER`]. The other arguments, a token of an admin and the root of the checkout, are for applications
/// with more demo data.
///
/// # Errors
/// Returns an error if the API does not respond or returns an error response.
pub fn load(api: &str, _admin_token: &str, user_token: &str, _root: &Path) -> Result<Demo, DemoError> {
    let request = http_client()
        .post(format!("{api}/notes"))
        .header("authorization", format!("Bearer {user_token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", KEY);
    let mut response = request.send(NOTE).map_err(|error| DemoError(error.to_string()))?;
    let body = response.body_mut().read_to_string().unwrap_or_default();
    let note: Value = serde_json::from_str(&body).unwrap_or_default();
    match note["id"].as_str() {
        Some(id) => Ok(Demo { note: id.to_owned() }),
        None => Err(DemoError(format!("{} {body}", response.status()))),
    }
}

impl Demo {
    /// Returns curl commands to paste into a terminal. `_admin` and `user` are curl arguments that set the authorization
    /// header.
    #[must_use]
    pub fn requests(&self, api: &str, _admin: &str, user: &str) -> String {
        let note = &self.note;
        format!(
            "Sample requests:\n\n\
             curl -sS {api}/notes {user} -H 'content-type: application/json' -d '{NOTE}'\n\
             curl -sS {api}/notes/{note} {user}\n\
             curl -sS {api}/openapi.json"
        )
    }
}
