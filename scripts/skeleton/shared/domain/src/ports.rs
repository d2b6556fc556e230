//! The operations that the application needs from the outside. Each port is a trait for a single operation.
//!
//! A handler takes only the ports that it calls. Its unit tests implement no others, and its IAM role needs only the
//! permissions for those operations.

use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, TraceContext};

use crate::{AuthorId, Note, NoteId, NotePosition, WordCount};

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
        count: WordCount,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Lists the notes of all authors.
pub trait ListOldNotes: Sync {
    /// Returns the notes that were created before `before`, oldest first. The list is eventually consistent.
    fn list_old(
        &self,
        before: Timestamp,
        page: &PageRequest<NotePosition>,
    ) -> impl Future<Output = Result<Page<NotePosition, NotePosition>, PortError>> + Send;
}

/// Deletes notes.
pub trait DeleteNote: Sync {
    /// Deletes the note. Returns whether it existed.
    fn delete(&self, author: &AuthorId, id: NoteId) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Reads uploaded files.
pub trait ReadUpload: Sync {
    /// Returns the content of a file of at most `max_bytes`, or `None` if it was deleted. Returns the first `max_bytes + 1`
    /// bytes of a larger file.
    fn read(&self, key: &str, max_bytes: u64) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
}
