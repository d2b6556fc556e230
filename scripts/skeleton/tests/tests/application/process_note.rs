//! Tests of the notes queue with invalid and duplicate messages.

use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::unique;
use serde_json::{Value, json};

use super::{api, create_note};

/// An event as an EventBridge rule delivers it.
fn event(kind: &str, data: &Value) -> Value {
    json!({"version": "0", "source": "ferrite.notes", "detail-type": kind, "detail": {
        "specversion": "1.0", "id": unique("event"), "source": "ferrite.notes", "subject": "x",
        "time": "2026-11-22T22:00:00Z", "type": kind, "data": data,
    }})
}

#[test]
fn sends_invalid_messages_to_the_dead_letter_queue_and_processes_the_others() {
    let api = api();
    let queues = Queues::under_test();
    let queue = api.output("NotesQueueUrl");
    let dlq = api.output("NotesDlqUrl");
    let malformed = unique("nonsense");
    let unknown_type = unique("future");
    queues.send(queue, &format!("not json: {malformed}"));
    queues.send(queue, &event("ferrite.note.created.v9", &json!({"note": unknown_type})).to_string());
    let ada = unique("ada");
    let location = create_note(&api, &ada, "Buy milk").location("/notes");
    wait_for("the words to be counted", || {
        api.as_user(&ada, "GET", &location).send().json()["wordCount"].is_number().then_some(())
    });

    assert!(reason(&queues.find(dlq, &malformed)).contains("not a known event"));
    assert!(reason(&queues.find(dlq, &unknown_type)).contains("ferrite.note.created.v9"));
}
