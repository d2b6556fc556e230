//! Item format of a note in the table and its stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AuthorId, Note, NoteId, NoteText, WordCount};
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext, Version};
use serde::{Deserialize, Serialize};

use crate::keys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoteItem {
    pk: String,
    sk: String,
    gsi1pk: String,
    gsi1sk: String,
    id: NoteId,
    author_id: AuthorId,
    text: NoteText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    word_count: Option<WordCount>,
    version: Version,
    created_at: Timestamp,
    /// Trace context of the request that created the note. It is stored because stream records contain only the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

pub(crate) fn write(note: &Note, trace_context: &TraceContext) -> Result<HashMap<String, AttributeValue>, PortError> {
    let note = note.clone();
    let item = NoteItem {
        pk: keys::author_partition(&note.author),
        sk: keys::note_sort_key(note.id),
        gsi1pk: keys::ALL_NOTES.to_owned(),
        gsi1sk: keys::list_sort_key(note.created_at, note.id),
        id: note.id,
        author_id: note.author,
        text: note.text,
        word_count: note.word_count,
        version: note.version,
        created_at: note.created_at,
        trace_context: trace_context.clone(),
    };
    serde_dynamo::to_item(item).map_err(|error| PortError::new("writing a note item", error))
}

pub(crate) fn read(item: impl Into<serde_dynamo::Item>) -> Result<Note, PortError> {
    read_with_trace_context(item).map(|(note, _)| note)
}

/// Reads the note and the trace context of the request that created it.
pub(crate) fn read_with_trace_context(item: impl Into<serde_dynamo::Item>) -> Result<(Note, TraceContext), PortError> {
    let item: NoteItem =
        serde_dynamo::from_item(item.into()).map_err(|error| PortError::new("reading a note item", error))?;
    let note = Note {
        id: item.id,
        author: item.author_id,
        text: item.text,
        word_count: item.word_count,
        version: item.version,
        created_at: item.created_at,
    };
    Ok((note, item.trace_context))
}
