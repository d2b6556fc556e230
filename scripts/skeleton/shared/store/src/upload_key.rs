//! Object keys of uploads.

use domain::{AuthorId, NoteId};

/// Object key of an uploaded note: `uploads/<author>/<note>.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadKey {
    /// The author of the note.
    pub author: AuthorId,
    /// Identifier of the note.
    pub note: NoteId,
}

impl UploadKey {
    /// Parses an object key. Returns `None` if it is not the key of an uploaded note.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (author, note) = key.strip_prefix("uploads/")?.strip_suffix(".txt")?.rsplit_once('/')?;
        Some(Self { author: author.to_owned().try_into().ok()?, note: note.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_keys_of_notes() {
        let note = "note_0192f0c1a2b37c4d8e5f60718293a4b5";
        let key = UploadKey::parse(&format!("uploads/auth0|ada/{note}.txt")).unwrap();
        assert_eq!((key.author.to_string().as_str(), key.note.to_string().as_str()), ("auth0|ada", note));
        for key in ["uploads/", "uploads/ada/note_1.txt", &format!("uploads/{note}.txt"), &format!("uploads/ada/{note}")] {
            assert_eq!(UploadKey::parse(key), None, "{key}");
        }
    }
}
