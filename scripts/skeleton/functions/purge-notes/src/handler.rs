use std::time::Duration;

use domain::ports::DeleteOldNotes;
use ferrite_core::ports::Clock;
use ferrite_runtime::{Failure, log};
use serde_json::json;

/// Deletes every note that is older than `retention`.
///
/// # Errors
/// Returns a retryable failure if the table is not available. The next attempt deletes the remaining notes.
pub(crate) async fn purge_notes(
    notes: &impl DeleteOldNotes,
    clock: &impl Clock,
    retention: Duration,
) -> Result<(), Failure> {
    let deleted = notes.delete_old(clock.now().minus(retention)).await?;
    log::append_key("deleted", json!(deleted));
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::{CreateNote, GetNote};
    use ferrite_core::TraceContext;
    use ferrite_core::memory::FixedClock;

    use super::*;

    const RETENTION: Duration = Duration::from_hours(24);

    #[tokio::test]
    async fn deletes_only_notes_older_than_the_retention() {
        let now = contract::now();
        let store = MemoryStore::default();
        let [old, new] = [2, 1].map(|days| contract::note("text", now.minus(RETENTION * days)));
        for note in [&old, &new] {
            store.create(note, &TraceContext::default()).await.unwrap();
        }
        purge_notes(&store, &FixedClock(now), RETENTION).await.unwrap();
        assert_eq!(store.get(&old.author, old.id).await.unwrap(), None);
        assert_eq!(store.get(&new.author, new.id).await.unwrap(), Some(new));
    }
}
