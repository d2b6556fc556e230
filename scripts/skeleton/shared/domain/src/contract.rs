//! Contract tests for the ports. Every implementation must pass them, in memory and on AWS:
//!
//! ```text
//! domain::note_store_contract!(MemoryStore::default());
//! ```
//!
//! Each test creates its own authors, so all tests can share one table.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code; the names of the tests describe them")]

use std::time::Duration;

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_core::{PageRequest, Timestamp, TraceContext};

pub use ferrite_core::contract::now;

use crate::ports::{CreateNote, DeleteNote, GetNote, ListOldNotes, SaveWordCount};
use crate::{Note, WordCount};

/// A new note of an author of its own.
pub fn note(text: &str, created_at: Timestamp) -> Note {
    let author = format!("author-{}", UniqueIds.new_id());
    Note::new(UniqueIds.new_id().into(), author.try_into().unwrap(), text.to_owned().try_into().unwrap(), created_at)
}

async fn create(store: &impl CreateNote, note: &Note) {
    store.create(note, &TraceContext::default()).await.unwrap();
}

/// All ports of the note store.
pub trait NoteStore: CreateNote + GetNote + SaveWordCount + ListOldNotes + DeleteNote {}

impl<S> NoteStore for S where S: CreateNote + GetNote + SaveWordCount + ListOldNotes + DeleteNote {}

/// Generates the contract tests for a [`NoteStore`].
#[macro_export]
macro_rules! note_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract, $adapter,
            creates_a_note_once
            returns_a_note_only_to_its_author
            saves_a_word_count_once
            lists_old_notes_across_pages_and_deletes_them
        );
    };
}

pub async fn creates_a_note_once(store: &impl NoteStore) {
    let note = note("first", now());
    create(store, &note).await;
    let other = Note { text: "second".to_owned().try_into().unwrap(), ..note.clone() };
    create(store, &other).await;
    assert_eq!(store.get(&note.author, note.id).await.unwrap(), Some(note));
}

pub async fn returns_a_note_only_to_its_author(store: &impl NoteStore) {
    let note = note("mine", now());
    create(store, &note).await;
    let stranger = "stranger".to_owned().try_into().unwrap();
    assert_eq!(store.get(&stranger, note.id).await.unwrap(), None);
}

pub async fn saves_a_word_count_once(store: &impl NoteStore) {
    let note = note("two words", now());
    let count = WordCount::of(&note.text);
    assert!(!store.save_word_count(&note.author, note.id, count).await.unwrap(), "the note does not exist yet");
    create(store, &note).await;
    assert!(store.save_word_count(&note.author, note.id, count).await.unwrap());
    assert!(!store.save_word_count(&note.author, note.id, count).await.unwrap());
    let counted = Note { word_count: Some(count), version: note.version.next(), ..note.clone() };
    assert_eq!(store.get(&note.author, note.id).await.unwrap(), Some(counted));
}

pub async fn lists_old_notes_across_pages_and_deletes_them(store: &impl NoteStore) {
    // The notes of the other tests are newer.
    let start = now().minus(Duration::from_hours(24 * 365));
    let notes: Vec<Note> = (0..3).map(|second| note("old", start.plus(Duration::from_secs(second)))).collect();
    for note in &notes {
        create(store, note).await;
    }
    let mut listed = Vec::new();
    let mut page = PageRequest { limit: "1".parse().unwrap(), after: None };
    loop {
        let found = store.list_old(notes[2].created_at, &page).await.unwrap();
        listed.extend(found.items);
        let Some(next) = found.next else { break };
        page.after = Some(next);
    }
    assert_eq!(listed, [notes[0].position(), notes[1].position()]);
    for note in &notes {
        assert!(store.delete(&note.author, note.id).await.unwrap());
        assert!(!store.delete(&note.author, note.id).await.unwrap());
    }
}
