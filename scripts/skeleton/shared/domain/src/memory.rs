//! In-memory implementations of all ports, for unit tests of handlers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext};

use crate::ports::{CreateNote, DeleteOldNotes, GetNote, SaveWordCount};
use crate::{AuthorId, Note, NoteId};

/// Notes behind a lock, so every operation is atomic.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<(AuthorId, NoteId), Note>>);

impl MemoryStore {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn notes(&self) -> MutexGuard<'_, BTreeMap<(AuthorId, NoteId), Note>> {
        self.0.lock().unwrap()
    }
}

impl CreateNote for MemoryStore {
    async fn create(&self, note: &Note, _: &TraceContext) -> Result<(), PortError> {
        self.notes().entry((note.author.clone(), note.id)).or_insert_with(|| note.clone());
        Ok(())
    }
}

impl GetNote for MemoryStore {
    async fn get(&self, author: &AuthorId, id: NoteId) -> Result<Option<Note>, PortError> {
        Ok(self.notes().get(&(author.clone(), id)).cloned())
    }
}

impl SaveWordCount for MemoryStore {
    async fn save_word_count(&self, author: &AuthorId, id: NoteId, count: u32) -> Result<bool, PortError> {
        let mut notes = self.notes();
        let Some(note) = notes.get_mut(&(author.clone(), id)).filter(|note| note.word_count.is_none()) else {
            return Ok(false);
        };
        note.word_count = Some(count);
        note.version = note.version.next();
        Ok(true)
    }
}

impl DeleteOldNotes for MemoryStore {
    async fn delete_old(&self, before: Timestamp) -> Result<u32, PortError> {
        let deleted = self.notes().extract_if(.., |_, note| note.created_at < before).count();
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::note_store_contract!(MemoryStore::default());
}
