use domain::ports::CreateNote;
use domain::{AuthorId, Note, NoteId, NoteText};
use ferrite_core::ports::{Clock, ReadObject};
use ferrite_runtime::s3::Object;
use ferrite_runtime::{Failure, trace};

/// The longest text has 4,000 characters, each of at most 4 bytes in UTF-8.
const MAX_BYTES: u64 = 4 * NoteText::MAX as u64;

/// Creates a note from the text file `uploads/<author>/<note>.txt`.
///
/// The object key contains the identifier of the note, so a duplicate notification, or a repetition after a crash, creates
/// nothing. A new version of the file does not change the note.
///
/// # Errors
/// Rejects an object that is not a note. Returns a retryable failure if the file could not be read, or the note could not
/// be stored.
pub(crate) async fn import_note(
    notes: &impl CreateNote,
    files: &impl ReadObject,
    clock: &impl Clock,
    object: Object,
) -> Result<(), Failure> {
    let Some((author, id)) = parse_key(&object.key) else {
        return Err(Failure::reject("the object key is not uploads/<author>/<note>.txt"));
    };
    let bytes = files.read(&object.key, MAX_BYTES).await?.ok_or_else(|| Failure::reject("the file was deleted"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::reject(format!("the file is not UTF-8 of at most {MAX_BYTES} bytes")))?;
    let text = NoteText::try_from(text).map_err(|error| Failure::reject(format!("the text {error}")))?;
    notes.create(&Note::new(id, author, text, clock.now()), &trace::context()).await?;
    Ok(())
}

/// Parses an object key. Returns `None` if it is not the key of an uploaded note.
fn parse_key(key: &str) -> Option<(AuthorId, NoteId)> {
    let (author, id) = key.strip_prefix("uploads/")?.strip_suffix(".txt")?.rsplit_once('/')?;
    Some((author.to_owned().try_into().ok()?, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::GetNote;
    use ferrite_core::memory::{FixedClock, MemoryObjects};

    use super::*;

    const KEY: &str = "uploads/ada/note_0192f0c1a2b37c4d8e5f60718293a4b5.txt";

    async fn import(store: &MemoryStore, key: &str, file: Option<&[u8]>) -> Result<(), Failure> {
        let files = MemoryObjects(file.map(|bytes| (key.to_owned(), bytes.to_vec())).into_iter().collect());
        import_note(store, &files, &FixedClock(contract::now()), Object::new("uploads", key, None)).await
    }

    #[tokio::test]
    async fn creates_a_note_once() {
        let store = MemoryStore::default();
        import(&store, KEY, Some(b"Buy milk")).await.unwrap();
        import(&store, KEY, Some(b"Buy tea")).await.unwrap();
        let (author, id) = parse_key(KEY).unwrap();
        assert_eq!(store.get(&author, id).await.unwrap().unwrap().text.as_str(), "Buy milk");
    }

    #[tokio::test]
    async fn rejects_files_that_cannot_become_notes() {
        let long = vec![b'x'; 20_000];
        let store = MemoryStore::default();
        for (key, file) in [
            ("uploads/ada/shopping.txt", Some(&b"Buy milk"[..])),
            ("uploads/note_0192f0c1a2b37c4d8e5f60718293a4b5.txt", Some(b"Buy milk")),
            (KEY, None),
            (KEY, Some(b"")),
            (KEY, Some(b"\xff")),
            (KEY, Some(&long)),
        ] {
            let result = import(&store, key, file).await;
            assert!(matches!(result, Err(Failure::Reject(_))), "{key}: {result:?}");
        }
    }
}
