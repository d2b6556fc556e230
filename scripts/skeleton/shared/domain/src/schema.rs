//! JSON Schemas of the types, for the event schemas and the OpenAPI document.
//!
//! serde does not know which strings a parsed type accepts, so this module states the constraints.

use ferrite_core::schema::{LINES, LINES_NOT_BLANK, prefixed_id};

use crate::{NoteId, NoteText};

ferrite_core::schema_of! {
    NoteId: {"type": "string", "pattern": prefixed_id(NoteId::PREFIX)}
}

ferrite_core::text_schema_of! {
    NoteText: LINES, LINES_NOT_BLANK;
}
