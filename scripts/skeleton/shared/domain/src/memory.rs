//! In-memory implementations of all ports, for unit tests of handlers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, TraceContext};

use crate::ports::{CreateNote, DeleteNote, GetNote, ListOldNotes, ReadUpload, SaveWordCount};
use crate::{AuthorId, Note, NoteId, NotePosition, WordCount};

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
    async fn save_word_count(&self, author: &AuthorId, id: NoteId, count: WordCount) -> Result<bool, PortError> {
        let mut notes = self.notes();
        let Some(note) = notes.get_mut(&(author.clone(), id)).filter(|note| note.word_count.is_none()) else {
            return Ok(false);
        };
        note.word_count = Some(count);
        note.version = note.version.next();
        Ok(true)
    }
}

impl ListOldNotes for MemoryStore {
    async fn list_old(
        &self,
        before: Timestamp,
        page: &PageRequest<NotePosition>,
    ) -> Result<Page<NotePosition, NotePosition>, PortError> {
        let mut old: Vec<NotePosition> =
            self.notes().values().filter(|note| note.created_at < before).map(Note::position).collect();
        old.sort_by_key(|note| (note.created_at, note.id));
        let after = page.after.as_ref().map(|cursor| (cursor.last().created_at, cursor.last().id));
        old.retain(|note| after.is_none_or(|after| (note.created_at, note.id) > after));
        old.truncate(page.limit.get() + 1);
        Ok(Page::from_results(old, page.limit, false, Clone::clone))
    }
}

impl DeleteNote for MemoryStore {
    async fn delete(&self, author: &AuthorId, id: NoteId) -> Result<bool, PortError> {
        Ok(self.notes().remove(&(author.clone(), id)).is_some())
    }
}

/// Uploaded files by their keys.
#[derive(Debug, Default)]
pub struct MemoryUploads(pub BTreeMap<String, Vec<u8>>);

impl ReadUpload for MemoryUploads {
    async fn read(&self, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, PortError> {
        let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX).saturating_add(1);
        Ok(self.0.get(key).map(|bytes| bytes[..bytes.len().min(limit)].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::note_store_contract!(MemoryStore::default());
}
