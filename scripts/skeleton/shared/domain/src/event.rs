//! The domain events and their payloads.

use ferrite_core::Event;
use serde::{Deserialize, Serialize};

use crate::{AuthorId, NoteId};

/// A note was created. The event does not contain the text, which is only in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NoteCreated {
    /// Identifier of the note.
    pub note_id: NoteId,
    /// The author.
    pub author_id: AuthorId,
}

/// All domain events.
///
/// A payload change that existing consumers cannot read requires a new event type (`….v2`). The old type stays in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data")]
pub enum DomainEvent {
    /// A note was created.
    #[serde(rename = "ferrite.note.created.v1")]
    NoteCreated(NoteCreated),
}

impl Event for DomainEvent {
    const SOURCE: &'static str = "ferrite.notes";

    fn event_type(&self) -> &'static str {
        match self {
            Self::NoteCreated(_) => "ferrite.note.created.v1",
        }
    }
}
