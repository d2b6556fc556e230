//! Tests of the scheduled function. Like EventBridge, the tests invoke it asynchronously.

use domain::contract::note;
use domain::ports::{CreateNote, GetNote};
use ferrite_core::TraceContext;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::cleanup::record_partition;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use serde_json::json;
use store::Table;

use super::api;

#[test]
fn deletes_old_notes() {
    let api = api();
    let sdk = Sdk::under_test();
    let table = Table::new(sdk.config(), api.output("TableName").to_owned());
    let old = note("old", "2020-02-02T00:00:00Z".parse().unwrap());
    record_partition(&format!("AUTHOR#{}", old.author));
    sdk.block_on(table.create(&old, &TraceContext::default())).unwrap();
    let event =
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-22T22:00:00Z", "detail": {}});
    Aws::under_test().invoke(&api.function("purge-notes"), &event);
    wait_for("the note to be deleted", || sdk.block_on(table.get(&old.author, old.id)).unwrap().is_none().then_some(()));
}

#[test]
fn sends_an_event_that_is_not_from_a_schedule_to_the_dead_letter_queue() {
    let api = api();
    let marker = unique("marker");
    let event = json!({"source": marker, "detail-type": "Other", "time": "2026-11-22T22:00:00Z"});
    Aws::under_test().invoke(&api.function("purge-notes"), &event);
    let message = Queues::under_test().find(api.output("PurgeNotesDlqUrl"), &marker);
    assert!(reason(&message).contains("schedule"), "{}", reason(&message));
}
