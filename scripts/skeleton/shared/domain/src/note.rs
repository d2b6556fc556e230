//! Notes.

use std::fmt;

use ferrite_core::{Subject, Timestamp, ValueError, Version};
use serde::{Deserialize, Serialize};

ferrite_core::prefixed_id!(
    /// Identifies a note.
    NoteId,
    "note_"
);

ferrite_core::text!(
    /// The text of a note: 1 to 4,000 characters, including line breaks and tabs.
    NoteText,
    4000,
    ferrite_core::text::Lines
);

/// Identifies an author: the `sub` claim (subject) of the token that the author calls the API with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorId(Subject);

impl From<Subject> for AuthorId {
    fn from(subject: Subject) -> Self {
        Self(subject)
    }
}

impl TryFrom<String> for AuthorId {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Subject::try_from(text).map(Self)
    }
}

impl fmt::Display for AuthorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of words in a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct WordCount(u32);

impl WordCount {
    /// Counts the words, which are separated by whitespace.
    #[must_use]
    pub fn of(text: &NoteText) -> Self {
        Self(u32::try_from(text.as_str().split_whitespace().count()).unwrap_or(u32::MAX))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Identifier of the note.
    pub id: NoteId,
    /// The author. Only the author can read the note.
    pub author: AuthorId,
    /// The text.
    pub text: NoteText,
    /// The number of words, once process-note has counted them.
    pub word_count: Option<WordCount>,
    /// The version: 1 for a new note.
    pub version: Version,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl Note {
    /// Creates a note.
    #[must_use]
    pub fn new(id: NoteId, author: AuthorId, text: NoteText, now: Timestamp) -> Self {
        Self { id, author, text, word_count: None, version: Version::FIRST, created_at: now }
    }

    /// Its position in the list of all notes, which is sorted by time of creation.
    #[must_use]
    pub fn position(&self) -> NotePosition {
        NotePosition { author: self.author.clone(), id: self.id, created_at: self.created_at }
    }
}

/// The position of a note in the list of all notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotePosition {
    /// The author.
    pub author: AuthorId,
    /// Identifier of the note.
    pub id: NoteId,
    /// Time of creation.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words_between_any_whitespace() {
        let count = |text: &str| WordCount::of(&NoteText::try_from(text.to_owned()).unwrap()).get();
        assert_eq!((count("one"), count("one  two\n\tthree")), (1, 3));
    }

    #[test]
    fn rejects_blank_and_long_text() {
        assert!(NoteText::try_from(" \n".to_owned()).is_err());
        assert!(NoteText::try_from("x".repeat(4001)).is_err());
    }
}
