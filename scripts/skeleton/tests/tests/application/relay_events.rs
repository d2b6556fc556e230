//! Tests of the table's stream.

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_test_harness::cleanup::record_partition;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;

use super::api;

#[test]
fn an_invalid_stream_record_goes_to_the_dead_letter_queue() {
    let api = api();
    let sdk = Sdk::under_test();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let invalid_key = unique("NOTE#poison");
    record_partition("AUTHOR#nobody");
    let put = sdk.dynamodb().put_item().table_name(api.output("TableName"));
    sdk.block_on(put.item("pk", text("AUTHOR#nobody")).item("sk", text(&invalid_key)).send()).unwrap();
    let message = Queues::under_test().find(api.output("RelayDlqUrl"), &invalid_key);
    assert!(reason(&message).contains("not of a note"), "{}", reason(&message));
}
