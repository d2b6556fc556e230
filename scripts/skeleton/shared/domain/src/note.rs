//! Notes.

use ferrite_core::{Subject, Timestamp, Version};
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
pub type AuthorId = Subject;

impl NoteText {
    /// Counts the words, which are separated by whitespace.
    #[must_use]
    pub fn count_words(&self) -> u32 {
        u32::try_from(self.as_str().split_whitespace().count()).unwrap_or(u32::MAX)
    }
}

/// A note. It is stored with the names of these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Identifier of the note.
    pub id: NoteId,
    /// The author. Only the author can read the note.
    #[serde(rename = "authorId")]
    pub author: AuthorId,
    /// The text.
    pub text: NoteText,
    /// The number of words, once process-note has counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_count: Option<u32>,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words_between_any_whitespace() {
        let count = |text: &str| NoteText::try_from(text.to_owned()).unwrap().count_words();
        assert_eq!((count("one"), count("one  two\n\tthree")), (1, 3));
    }
}
