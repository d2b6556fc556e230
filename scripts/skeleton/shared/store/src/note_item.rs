//! Item format of a note in the table and its stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Note;
use ferrite_core::TraceContext;
use ferrite_core::ports::PortError;
use serde::{Deserialize, Serialize};

use crate::keys;

#[derive(Serialize, Deserialize)]
struct NoteItem {
    pk: String,
    sk: String,
    gsi1pk: String,
    gsi1sk: String,
    #[serde(flatten)]
    note: Note,
    /// Trace context of the request that created the note. It is stored because stream records contain only the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

pub(crate) fn write(note: &Note, trace_context: &TraceContext) -> Result<HashMap<String, AttributeValue>, PortError> {
    let item = NoteItem {
        pk: keys::author_partition(&note.author),
        sk: keys::note_sort_key(note.id),
        gsi1pk: keys::ALL_NOTES.to_owned(),
        gsi1sk: keys::list_sort_key(note),
        note: note.clone(),
        trace_context: trace_context.clone(),
    };
    serde_dynamo::to_item(item).map_err(PortError::during("writing a note item"))
}

/// Reads the note and the trace context of the request that created it.
pub(crate) fn read(item: impl Into<serde_dynamo::Item>) -> Result<(Note, TraceContext), PortError> {
    let item: NoteItem = serde_dynamo::from_item(item.into()).map_err(PortError::during("reading a note item"))?;
    Ok((item.note, item.trace_context))
}
