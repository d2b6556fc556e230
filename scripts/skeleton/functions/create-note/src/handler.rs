use api::{ApiError, NewNoteBody, NoteBody};
use domain::Note;
use domain::ports::CreateNote;
use ferrite_core::ports::{Clock, IdGenerator};
use ferrite_runtime::http::{Request, Response, caller, json, json_body, with_location};
use ferrite_runtime::trace;
use http::StatusCode;

/// Creates a note of the caller. Returns 201 with the note and its `Location`.
///
/// The table's stream carries the new note to relay-events, so nothing else is written here.
pub(crate) async fn create_note(
    notes: &impl CreateNote,
    ids: &impl IdGenerator,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let author = caller(&request)?.id();
    let text = json_body::<NewNoteBody>(&request)?.into();
    let note = Note::new(ids.new_id().into(), author, text, clock.now());
    notes.create(&note, &trace::context()).await?;

    let location = format!("notes/{}", note.id);
    Ok(with_location(json(StatusCode::CREATED, &NoteBody::from(note))?, &location)?)
}

#[cfg(test)]
mod tests {
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::GetNote;
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    async fn create(store: &MemoryStore, request: Request) -> Result<Response, ApiError> {
        create_note(store, &UniqueIds, &FixedClock(contract::now()), request).await
    }

    #[tokio::test]
    async fn stores_the_note_of_the_caller_and_returns_its_location() {
        let store = MemoryStore::default();
        let request = request(Method::POST).with_caller("ada", "").json(&json!({"text": "Buy milk"}));
        let response = create(&store, request).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let id = body["id"].as_str().unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["location"], format!("notes/{id}"));
        let ada = "ada".to_owned().try_into().unwrap();
        assert_eq!(store.get(&ada, id.parse().unwrap()).await.unwrap().unwrap().text.as_str(), "Buy milk");
    }

    #[tokio::test]
    async fn requires_a_caller_and_valid_text() {
        let store = MemoryStore::default();
        let anonymous = request(Method::POST).json(&json!({"text": "Buy milk"}));
        assert_eq!(create(&store, anonymous).await.unwrap_err().problem().status(), StatusCode::UNAUTHORIZED);
        let blank = request(Method::POST).with_caller("ada", "").json(&json!({"text": " "}));
        assert_eq!(create(&store, blank).await.unwrap_err().problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
