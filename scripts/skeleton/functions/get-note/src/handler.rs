use api::{ApiError, NoteBody};
use domain::ports::GetNote;
use ferrite_runtime::http::{Problem, Request, Response, caller, json, path_id};
use http::StatusCode;

/// Returns the caller's note. Returns 404 for another author's note, as for a note that does not exist.
pub(crate) async fn get_note(notes: &impl GetNote, request: Request) -> Result<Response, ApiError> {
    let author = caller(&request)?.id();
    let note = notes.get(&author, path_id(&request, "noteId")?).await?.ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &NoteBody::from(note))?)
}

#[cfg(test)]
mod tests {
    use domain::contract;
    use domain::memory::MemoryStore;
    use domain::ports::CreateNote;
    use ferrite_core::TraceContext;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn returns_a_note_only_to_its_author() {
        let store = MemoryStore::default();
        let note = contract::note("Buy milk", contract::now());
        store.create(&note, &TraceContext::default()).await.unwrap();
        let get = |author: &str| {
            let request = request(Method::GET).with_caller(author, "").path_parameter("noteId", note.id);
            get_note(&store, request)
        };
        let response = get(&note.author.to_string()).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((&body["text"], body.get("wordCount")), (&json!("Buy milk"), None));
        assert_eq!(get("stranger").await.unwrap_err().problem().status(), StatusCode::NOT_FOUND);
    }
}
