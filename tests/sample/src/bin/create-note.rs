//! `POST /notes`: returns 201 and the note.

use ::http::StatusCode;
use deserr::Deserr;
use ferrite_core::ports::IdGenerator;
use ferrite_runtime::http::{self, InvalidBody, Problem, Request, Response, caller, json_body, with_location};
use ferrite_runtime::{InitError, RandomIds, service_fn};
use serde_json::json;

#[derive(Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
struct NewNote {
    text: String,
}

async fn create_note(request: Request) -> Result<Response, Problem> {
    caller(&request)?.require_scope("notes:write")?;
    let NewNote { text } = json_body(&request)?;
    let id = RandomIds.new_id();
    tracing::info!(%id, "note created");
    let note = json!({"id": id.to_string(), "text": text});
    with_location(http::json(StatusCode::CREATED, &note)?, &format!("notes/{id}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(create_note)).await
}
