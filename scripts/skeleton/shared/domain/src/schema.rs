//! JSON Schemas of the types, for the event schemas and the OpenAPI document.
//!
//! serde does not know which strings a parsed type accepts, so this module states the constraints.

use std::borrow::Cow;

use ferrite_core::Subject;
use ferrite_core::schema::{self, GRAPHIC, LINES, LINES_NOT_BLANK, prefixed_id};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::{AuthorId, NoteId, NoteText};

ferrite_core::schema_of! {
    AuthorId: {"type": "string", "minLength": 1, "maxLength": Subject::MAX, "pattern": GRAPHIC}
    NoteId: {"type": "string", "pattern": prefixed_id(NoteId::PREFIX)}
}

impl JsonSchema for NoteText {
    fn schema_name() -> Cow<'static, str> {
        "NoteText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schema::text(generator, Self::MAX, &LINES, LINES_NOT_BLANK)
    }
}
