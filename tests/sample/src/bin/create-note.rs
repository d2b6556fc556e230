//! POST /notes: responds 201 with the note.

use deserr::Deserr;
use ferrite_core::ports::NewIds;
use ferrite_runtime::http::{self, InvalidBody, Problem, Request, Response, caller, json, json_body, located};
use ferrite_runtime::{InitError, RandomIds, service_fn};

#[derive(Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
struct NewNote {
    text: String,
}

async fn create_note(request: Request) -> Result<Response, Problem> {
    caller(&request)?.require("notes:write")?;
    let NewNote { text } = json_body(&request)?;
    let id = RandomIds.new_id();
    tracing::info!(%id, "note created");
    located(json(::http::StatusCode::CREATED, &serde_json::json!({"id": id.to_string(), "text": text}))?, &format!("notes/{id}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(create_note)).await
}
