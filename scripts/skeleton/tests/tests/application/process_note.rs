//! Tests of the notes queue with invalid messages, and during an outage.

use ferrite_test_harness::aws::{Aws, Outage};
use ferrite_test_harness::events::delivered;
use ferrite_test_harness::function_log::lines_of;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::unique;
use serde_json::json;

use super::{api, create_note};

#[test]
fn sends_invalid_messages_to_the_dead_letter_queue_and_processes_the_others() {
    let api = api();
    let queues = Queues::under_test();
    let queue = api.output("NotesQueueUrl");
    let dlq = api.output("NotesDlqUrl");
    let malformed = unique("nonsense");
    let unknown_type = unique("future");
    queues.send(queue, &format!("not json: {malformed}"));
    let event = delivered("ferrite.notes", "ferrite.note.created.v9", &unknown_type, &json!({}));
    queues.send(queue, &event.to_string());
    let ada = unique("ada");
    let location = create_note(&api, &ada, "Buy milk").location("/notes");
    wait_for("the words to be counted", || {
        api.as_user(&ada, "GET", &location).send().json()["wordCount"].is_number().then_some(())
    });

    assert!(reason(&queues.find(dlq, &malformed)).contains("not a known event"));
    assert!(reason(&queues.find(dlq, &unknown_type)).contains("ferrite.note.created.v9"));
}

/// The outage is simulated by denying a permission for a short time. It also delays the other tests that need it.
#[test]
fn processes_a_note_after_an_outage_of_the_table() {
    let api = api();
    let ada = unique("ada");
    let function = api.function("process-note");
    let correlation_id = unique("correlation");
    let outage = Outage::start(Aws::under_test(), &function, "dynamodb:UpdateItem");
    let request = api.as_user(&ada, "POST", "/notes").header("X-Correlation-Id", &correlation_id);
    let location = request.json(&json!({"text": "Buy milk"})).send().location("/notes");
    wait_for("process-note to fail", || {
        let mut lines = lines_of(&function, &correlation_id).into_iter();
        lines.find(|line| line.text.contains("part of the batch failed"))
    });
    drop(outage);
    wait_for("the words to be counted", || {
        api.as_user(&ada, "GET", &location).send().json()["wordCount"].is_number().then_some(())
    });
}
