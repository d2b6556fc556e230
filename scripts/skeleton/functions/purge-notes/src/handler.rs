use std::time::Duration;

use domain::ports::{DeleteNote, ListOldNotes};
use ferrite_core::ports::Clock;
use ferrite_core::{PageLimit, PageRequest};
use ferrite_runtime::{Failure, log};
use serde_json::json;

/// Deletes every note that is older than `retention`.
///
/// After a crash, the next run deletes the remaining notes. If a note cannot be deleted, the others still are.
///
/// # Errors
/// Returns the first error after deleting everything else, or the error of a page that could not be listed.
pub(crate) async fn purge_notes(
    notes: &(impl ListOldNotes + DeleteNote),
    clock: &impl Clock,
    retention: Duration,
) -> Result<(), Failure> {
    let before = clock.now().minus(retention);
    let mut page = PageRequest { limit: PageLimit::LARGEST, after: None };
    let mut deleted = 0_u32;
    let mut first_error = None;
    loop {
        let listed = notes.list_old(before, &page).await?;
        for note in listed.items {
            match notes.delete(&note.author, note.id).await {
                Ok(existed) => deleted += u32::from(existed),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        match listed.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    log::append_key("deleted", json!(deleted));
    first_error.map_or(Ok(()), |error| Err(Failure::retry(error)))
}

#[cfg(test)]
mod tests {
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::{CreateNote, GetNote};
    use domain::{AuthorId, Note, NoteId, NotePosition};
    use ferrite_core::memory::FixedClock;
    use ferrite_core::ports::PortError;
    use ferrite_core::{Page, Timestamp, TraceContext};

    use super::*;

    const RETENTION: Duration = Duration::from_hours(24);

    async fn store_with(notes: &[Note]) -> MemoryStore {
        let store = MemoryStore::default();
        for note in notes {
            store.create(note, &TraceContext::default()).await.unwrap();
        }
        store
    }

    async fn exists(store: &MemoryStore, note: &Note) -> bool {
        store.get(&note.author, note.id).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn deletes_only_notes_older_than_the_retention() {
        let now = contract::now();
        let old = contract::note("old", now.minus(RETENTION * 2));
        let new = contract::note("new", now.minus(RETENTION));
        let store = store_with(&[old.clone(), new.clone()]).await;
        purge_notes(&store, &FixedClock(now), RETENTION).await.unwrap();
        assert_eq!((exists(&store, &old).await, exists(&store, &new).await), (false, true));
    }

    /// A store that fails to delete one of its notes.
    struct FailingStore<'a>(&'a MemoryStore, NoteId);

    impl ListOldNotes for FailingStore<'_> {
        async fn list_old(
            &self,
            before: Timestamp,
            page: &PageRequest<NotePosition>,
        ) -> Result<Page<NotePosition, NotePosition>, PortError> {
            self.0.list_old(before, page).await
        }
    }

    impl DeleteNote for FailingStore<'_> {
        async fn delete(&self, author: &AuthorId, id: NoteId) -> Result<bool, PortError> {
            if id == self.1 {
                return Err(PortError::new("DeleteItem", "throttled"));
            }
            self.0.delete(author, id).await
        }
    }

    #[tokio::test]
    async fn deletes_the_other_notes_when_one_cannot_be_deleted() {
        let now = contract::now();
        let [first, second] = [3, 2].map(|days| contract::note("old", now.minus(RETENTION * days)));
        let store = store_with(&[first.clone(), second.clone()]).await;
        let result = purge_notes(&FailingStore(&store, first.id), &FixedClock(now), RETENTION).await;
        assert!(matches!(result, Err(Failure::Retry(_))), "{result:?}");
        assert_eq!((exists(&store, &first).await, exists(&store, &second).await), (true, false));
    }
}
