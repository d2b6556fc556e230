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
use ferrite_core::{Timestamp, TraceContext};

pub use ferrite_core::contract::now;

use crate::Note;
use crate::ports::{CreateNote, DeleteOldNotes, GetNote, SaveWordCount};

/// A new note of an author of its own.
pub fn note(text: &str, created_at: Timestamp) -> Note {
    let author = format!("author-{}", UniqueIds.new_id());
    Note::new(UniqueIds.new_id().into(), author.try_into().unwrap(), text.to_owned().try_into().unwrap(), created_at)
}

async fn create(store: &impl CreateNote, note: &Note) {
    store.create(note, &TraceContext::default()).await.unwrap();
}

/// Generates the contract tests for an implementation of all ports that store notes.
#[macro_export]
macro_rules! note_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract, $adapter,
            creates_a_note_once
            returns_a_note_only_to_its_author
            saves_a_word_count_once
            deletes_only_old_notes
        );
    };
}

pub async fn creates_a_note_once(store: &(impl CreateNote + GetNote)) {
    let note = note("first", now());
    create(store, &note).await;
    let other = Note { text: "second".to_owned().try_into().unwrap(), ..note.clone() };
    create(store, &other).await;
    assert_eq!(store.get(&note.author, note.id).await.unwrap(), Some(note));
}

pub async fn returns_a_note_only_to_its_author(store: &(impl CreateNote + GetNote)) {
    let note = note("mine", now());
    create(store, &note).await;
    let stranger = "stranger".to_owned().try_into().unwrap();
    assert_eq!(store.get(&stranger, note.id).await.unwrap(), None);
}

pub async fn saves_a_word_count_once(store: &(impl CreateNote + GetNote + SaveWordCount)) {
    let note = note("two words", now());
    assert!(!store.save_word_count(&note.author, note.id, 2).await.unwrap(), "the note does not exist yet");
    create(store, &note).await;
    assert!(store.save_word_count(&note.author, note.id, 2).await.unwrap());
    assert!(!store.save_word_count(&note.author, note.id, 2).await.unwrap());
    let counted = Note { word_count: Some(2), version: note.version.next(), ..note.clone() };
    assert_eq!(store.get(&note.author, note.id).await.unwrap(), Some(counted));
}

pub async fn deletes_only_old_notes(store: &(impl CreateNote + GetNote + DeleteOldNotes)) {
    // The notes of the other tests are newer.
    let start = now().minus(Duration::from_hours(24 * 365));
    let notes = [0, 1, 2].map(|second| note("old", start.plus(Duration::from_secs(second))));
    for note in &notes {
        create(store, note).await;
    }
    let before = notes[2].created_at;
    assert_eq!((store.delete_old(before).await.unwrap(), store.delete_old(before).await.unwrap()), (2, 0));
    for (note, is_deleted) in notes.iter().zip([true, true, false]) {
        assert_eq!(store.get(&note.author, note.id).await.unwrap().is_none(), is_deleted);
    }
}
