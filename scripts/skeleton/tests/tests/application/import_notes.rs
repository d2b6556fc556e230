//! Tests of uploads of text files.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use serde_json::json;

use super::api;

fn upload(api: &Api, key: &str, text: &str) {
    let sdk = Sdk::under_test();
    let put = sdk.s3().put_object().bucket(api.output("UploadBucketName")).key(key).body(text.as_bytes().to_vec().into());
    sdk.block_on(put.send()).unwrap();
}

#[test]
fn an_uploaded_text_file_becomes_a_note() {
    let api = api();
    let ada = unique("ada");
    let id: domain::NoteId = UniqueIds.new_id().into();
    upload(&api, &format!("uploads/{ada}/{id}.txt"), "Buy milk");
    let note = wait_for("the note to be imported", || {
        let response = api.as_user(&ada, "GET", &format!("/notes/{id}")).send();
        (response.status == 200).then(|| response.json())
    });
    assert_eq!(note["text"], "Buy milk");
}

#[test]
fn sends_notifications_about_other_files_to_the_dead_letter_queue() {
    let api = api();
    let name = unique("shopping");
    upload(&api, &format!("uploads/ada/{name}.txt"), "Buy milk");
    let message = Queues::under_test().find(api.output("UploadsDlqUrl"), &name);
    assert!(reason(&message).contains("the object key"), "{}", reason(&message));
}

#[test]
fn sends_notifications_about_deleted_files_to_the_dead_letter_queue() {
    let api = api();
    let id: domain::NoteId = UniqueIds.new_id().into();
    let object = json!({"key": format!("uploads/ada/{id}.txt"), "size": 1});
    let s3 = json!({"bucket": {"name": api.output("UploadBucketName")}, "object": object});
    let event = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]});
    Aws::under_test().invoke(&api.function("import-notes"), &event);
    let message = Queues::under_test().find(api.output("UploadsDlqUrl"), &id.to_string());
    assert!(reason(&message).contains("deleted"), "{}", reason(&message));
}
