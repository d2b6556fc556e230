use domain::ports::{GetNote, SaveWordCount};
use domain::{DomainEvent, NoteCreated};
use ferrite_core::CloudEvent;
use ferrite_core::feature_flags::EvaluationContext;
use ferrite_core::ports::EvaluateFlags;
use ferrite_runtime::Failure;
use ferrite_runtime::metrics::{self, Metric, Unit};

const NOTES_PROCESSED: Metric = Metric::new("NotesProcessed", Unit::Count);

/// Counts the words of a new note and stores their number. The feature `count_words` can disable this for some authors.
///
/// The event may be delivered more than once. The number is stored only once, so a repeated event changes nothing.
///
/// # Errors
/// Returns a retryable failure if the table is not available.
pub(crate) async fn process_note(
    notes: &(impl GetNote + SaveWordCount),
    flags: &impl EvaluateFlags,
    event: CloudEvent<DomainEvent>,
) -> Result<(), Failure> {
    let DomainEvent::NoteCreated(NoteCreated { note_id, author_id }) = event.event;
    let context = EvaluationContext::new().with("author", author_id.to_string());
    if !flags.is_enabled("count_words", &context, true).await {
        return Ok(());
    }
    // purge-notes may have deleted the note in the meantime.
    let Some(note) = notes.get(&author_id, note_id).await? else { return Ok(()) };
    if notes.save_word_count(&author_id, note_id, note.text.count_words()).await? {
        metrics::count(NOTES_PROCESSED);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Note;
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::CreateNote;
    use ferrite_core::memory::MemoryFeatureFlags;
    use ferrite_core::{EventId, TraceContext};

    use super::*;

    fn event(note: &Note) -> CloudEvent<DomainEvent> {
        let subject = note.id.to_string();
        let event = DomainEvent::NoteCreated(NoteCreated { note_id: note.id, author_id: note.author.clone() });
        CloudEvent::new(EventId::of_change(&subject, note.version), subject, note.created_at, event)
    }

    async fn store_with(note: &Note) -> MemoryStore {
        let store = MemoryStore::default();
        store.create(note, &TraceContext::default()).await.unwrap();
        store
    }

    #[tokio::test]
    async fn counts_the_words_once() {
        let note = contract::note("two words", contract::now());
        let store = store_with(&note).await;
        for _ in 0..2 {
            process_note(&store, &MemoryFeatureFlags::default(), event(&note)).await.unwrap();
        }
        let counted = store.get(&note.author, note.id).await.unwrap().unwrap();
        assert_eq!((counted.word_count, counted.version), (Some(2), note.version.next()));
    }

    #[tokio::test]
    async fn counts_no_words_while_the_feature_is_disabled() {
        let note = contract::note("two words", contract::now());
        let store = store_with(&note).await;
        let flags = MemoryFeatureFlags::default().with("count_words", false);
        process_note(&store, &flags, event(&note)).await.unwrap();
        assert_eq!(store.get(&note.author, note.id).await.unwrap().unwrap().word_count, None);
    }

    #[tokio::test]
    async fn accepts_the_event_of_a_deleted_note() {
        let note = contract::note("gone", contract::now());
        let result = process_note(&MemoryStore::default(), &MemoryFeatureFlags::default(), event(&note)).await;
        assert!(result.is_ok(), "{result:?}");
    }
}
