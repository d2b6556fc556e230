//! Conversion of the table's stream records to domain events.

use domain::{DomainEvent, NoteCreated};
use ferrite_aws::TableChange;
use ferrite_core::ports::PortError;
use ferrite_core::{CloudEvent, EventId};

use crate::note_item;

/// A stream record that cannot be read. The error is permanent, so redelivery does not help.
#[derive(Debug, thiserror::Error)]
#[error("the stream record is not of a note: {0}")]
pub struct StreamRecordError(#[source] PortError);

/// Returns the event that reports the change, or `None` if the change requires no event.
///
/// The event's identifier is derived from the note and its version, so the same change always has the same identifier.
///
/// # Errors
/// Returns an error if the record is not of a note. The filter of the event source mapping excludes other records.
pub fn to_event(change: TableChange) -> Result<Option<CloudEvent<DomainEvent>>, StreamRecordError> {
    let (Some(new), None) = (change.new_image, change.old_image) else { return Ok(None) };
    let (note, trace_context) = note_item::read(new).map_err(StreamRecordError)?;
    let subject = note.id.to_string();
    let id = EventId::of_change(&subject, note.version);
    let event = DomainEvent::NoteCreated(NoteCreated { note_id: note.id, author_id: note.author });
    Ok(Some(CloudEvent::new(id, subject, note.created_at, event).with_trace_context(trace_context)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOTE: &str = "note_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn note() -> Value {
        json!({
            "pk": {"S": "AUTHOR#ada"}, "sk": {"S": format!("NOTE#{NOTE}")}, "gsi1pk": {"S": "NOTES"},
            "gsi1sk": {"S": format!("2026-11-22T22:00:00.000Z#{NOTE}")}, "id": {"S": NOTE}, "authorId": {"S": "ada"},
            "text": {"S": "confidential"}, "version": {"N": "1"}, "createdAt": {"S": "2026-11-22T22:00:00.000Z"},
            "correlationid": {"S": "request-7"},
        })
    }

    fn event(old: &Value, new: &Value) -> Result<Option<CloudEvent<DomainEvent>>, StreamRecordError> {
        let record = json!({"dynamodb": {"OldImage": old, "NewImage": new}});
        to_event(serde_json::from_value(record).unwrap())
    }

    #[test]
    fn publishes_an_event_without_the_text_for_a_new_note() {
        let event = event(&Value::Null, &note()).unwrap().unwrap();
        assert_eq!(event.id.as_str(), format!("{NOTE}:1"));
        assert_eq!(event.trace_context.correlation_id.as_ref().map(|id| id.as_str()), Some("request-7"));
        assert!(!serde_json::to_string(&event).unwrap().contains("confidential"));
    }

    #[test]
    fn publishes_no_event_for_changed_and_deleted_notes() {
        assert!(event(&note(), &note()).unwrap().is_none());
        assert!(event(&note(), &Value::Null).unwrap().is_none());
    }

    #[test]
    fn returns_an_error_for_a_record_that_is_not_a_note() {
        assert!(event(&Value::Null, &json!({"pk": {"S": "x"}})).is_err());
    }
}
