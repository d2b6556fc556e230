//! JSON bodies for notes.

use deserr::Deserr;
use domain::{Note, NoteId, NoteText};
use ferrite_core::{Timestamp, ValueError};
use ferrite_runtime::http::InvalidBody;
use serde::Serialize;

/// A new note.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NewNote", deny_unknown_fields))]
pub struct NewNoteBody {
    #[deserr(try_from(String) = NoteText::try_from -> ValueError)]
    text: NoteText,
}

impl From<NewNoteBody> for NoteText {
    fn from(body: NewNoteBody) -> Self {
        body.text
    }
}

/// A note.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Note"))]
pub struct NoteBody {
    id: NoteId,
    text: NoteText,
    /// The number of words. It is missing until the note has been processed, which usually takes a few seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    word_count: Option<u32>,
    created_at: Timestamp,
}

impl From<Note> for NoteBody {
    fn from(note: Note) -> Self {
        Self { id: note.id, text: note.text, word_count: note.word_count, created_at: note.created_at }
    }
}
