//! Tests of `POST /notes` and `GET /notes/{noteId}`.

use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use serde_json::{Value, json};

use super::{api, create_note};

#[test]
fn a_new_note_is_processed_by_the_consumer_of_its_event() {
    let api = api();
    let ada = unique("ada");
    let created = create_note(&api, &ada, "Buy milk and tea");
    assert_eq!(created.json()["wordCount"], Value::Null);
    let location = created.location("/notes");
    let note = wait_for("the words to be counted", || {
        let note = api.as_user(&ada, "GET", &location).send().json();
        note["wordCount"].is_number().then_some(note)
    });
    assert_eq!((&note["text"], &note["wordCount"]), (&json!("Buy milk and tea"), &json!(4)));
}

#[test]
fn creates_one_note_for_each_idempotency_key() {
    let api = api();
    let ada = unique("ada");
    let create = |text: &str| {
        api.as_user(&ada, "POST", "/notes").header("Idempotency-Key", "k").json(&json!({ "text": text })).send()
    };
    let first = create("Buy milk");
    assert_eq!((first.status, create("Buy milk").json()), (201, first.json()));
    assert_eq!(create("Buy tea").status, 422, "the key was used with another body");
}

#[test]
fn a_rejected_request_frees_its_idempotency_key() {
    let api = api();
    let ada = unique("ada");
    let create = |text: &str| {
        api.as_user(&ada, "POST", "/notes").header("Idempotency-Key", "k").json(&json!({ "text": text })).send().status
    };
    assert_eq!((create(""), create("Buy milk")), (422, 201));
}

#[test]
fn hides_notes_of_other_authors() {
    let api = api();
    let location = create_note(&api, &unique("ada"), "Buy milk").location("/notes");
    assert_eq!(api.as_user(&unique("bob"), "GET", &location).send().status, 404);
}
