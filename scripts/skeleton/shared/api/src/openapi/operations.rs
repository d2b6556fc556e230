//! The table of API operations: access, parameters, request body, and all responses.

use domain::NoteId;
use ferrite_openapi::{
    Access, DOCUMENTATION, JSON, Operation, Parameter, Schemas, SuccessResponse, documentation, schema_of,
};
use serde_json::json;

use crate::{NewNoteBody, NoteBody};

const NOTE: &str = "note_0192f0c1a2b37c4d8e5f60718293a4b5";

/// The tags, each with its description. An operation has one of them.
pub(super) const TAGS: [(&str, &str); 2] =
    [(NOTES, "The notes of the author that the token identifies."), (DOCUMENTATION, "This document.")];

const NOTES: &str = "Notes";

fn note_id() -> Parameter {
    Parameter::new("noteId", "path", true, schema_of::<NoteId>(), "Identifier of the note.").example(NOTE)
}

/// Returns all operations.
pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = note_operations(schemas);
    all.extend(documentation());
    all
}

fn note_operations(schemas: &mut Schemas) -> Vec<Operation> {
    let note = schemas.written::<NoteBody>();
    vec![
        Operation::new("create-note", "post", "/notes", Access::User)
            .describe(
                NOTES,
                "Create a note",
                "Saves a note. Its words are counted afterwards. With an `Idempotency-Key`, a repeated request does not create a second note.",
            )
            .body(&[JSON], schemas.read::<NewNoteBody>(), json!({"text": "Buy milk."}))
            .with_idempotency_key(false)
            .response(
                SuccessResponse::new(201, "The note was created.")
                    .body(note.clone())
                    .with_location("^notes/note_[0-9a-f]{32}$")
                    .link("get-note", "noteId", "/id"),
            ),
        Operation::new("get-note", "get", "/notes/{noteId}", Access::User)
            .describe(NOTES, "Get one of your notes", "Returns the note. A note of another author is not found.")
            .identified_by(note_id())
            .response(SuccessResponse::new(200, "The note.").body(note)),
    ]
}
