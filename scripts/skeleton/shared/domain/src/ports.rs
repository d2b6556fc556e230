//! The operations that the application needs from the outside. Each port is a trait for a single operation.
//!
//! A handler takes only the ports that it calls. Its unit tests implement no others, and its IAM role needs only the
//! permissions for those operations.

use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext};

use crate::{AuthorId, Note, NoteId};

/// Stores new notes.
pub trait CreateNote: Sync {
    /// Stores the note, unless a note with its identifier exists. A repeated call changes nothing. `trace_context` is the
    /// trace context of the request, which the event of the new note continues.
    fn create(&self, note: &Note, trace_context: &TraceContext) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Looks up a note.
pub trait GetNote: Sync {
    /// Returns the author's note with a strongly consistent read, or `None` if there is none.
    fn get(&self, author: &AuthorId, id: NoteId) -> impl Future<Output = Result<Option<Note>, PortError>> + Send;
}

/// Stores the number of words of a note.
pub trait SaveWordCount: Sync {
    /// Stores the number and increments the version. Returns whether something was changed: `false` if the note already
    /// has a number or was deleted.
    fn save_word_count(
        &self,
        author: &AuthorId,
        id: NoteId,
        count: u32,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Deletes the old notes of all authors.
pub trait DeleteOldNotes: Sync {
    /// Deletes the notes that were created before `before`, oldest first, and returns their number. After a failure, a
    /// repeated call deletes the others.
    fn delete_old(&self, before: Timestamp) -> impl Future<Output = Result<u32, PortError>> + Send;
}
