//! Contract tests of the idempotency table, and tests of its compatibility with Powertools for AWS Lambda (Python).

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_aws::IdempotencyTable;
use ferrite_aws::testing::{create_table_with_partition_key, emulator_config};
use ferrite_core::Timestamp;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{Attempt, Fingerprint, IdGenerator, IdempotencyStore, SavedResponse, StartResult};
use tokio::sync::OnceCell;

async fn table_name() -> String {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(async || create_table_with_partition_key(&emulator_config(), "id").await).await.clone()
}

async fn table() -> IdempotencyTable {
    IdempotencyTable::new(&emulator_config(), table_name().await)
}

ferrite_core::idempotency_store_contract!(table().await);

fn new_attempt() -> Attempt {
    let at = Timestamp::from_unix_millis;
    Attempt {
        key: format!("charge#{}", UniqueIds.new_id()),
        fingerprint: Fingerprint("8f14e45fceea167a5a36dedd4bea2543".to_owned()),
        now: at(1_795_399_729_894),
        in_progress_until: at(1_795_399_759_894),
        expires_at: at(1_795_403_329_894),
    }
}

type Item = HashMap<String, AttributeValue>;

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn item(attempt: &Attempt, attributes: &[(&str, AttributeValue)]) -> Item {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    attributes.chain([("id".to_owned(), string(&attempt.key))]).collect()
}

async fn stored_item(attempt: &Attempt) -> Option<Item> {
    let get = Client::new(&emulator_config()).get_item().table_name(table_name().await).key("id", string(&attempt.key));
    get.consistent_read(true).send().await.unwrap().item
}

#[tokio::test]
async fn writes_the_same_attributes_as_powertools() {
    let attempt = new_attempt();
    let table = table().await;
    table.start(&attempt).await.unwrap();
    let mut expected = item(
        &attempt,
        &[
            ("status", string("INPROGRESS")),
            ("expiration", AttributeValue::N("1795403329".to_owned())),
            ("in_progress_expiration", AttributeValue::N("1795399759894".to_owned())),
            ("validation", string("8f14e45fceea167a5a36dedd4bea2543")),
        ],
    );
    assert_eq!(stored_item(&attempt).await, Some(expected.clone()));

    table.complete(&attempt, r#"{"paid": true}"#, attempt.expires_at).await.unwrap();
    expected.insert("status".to_owned(), string("COMPLETED"));
    expected.insert("data".to_owned(), string(r#"{"paid": true}"#));
    assert_eq!(stored_item(&attempt).await, Some(expected));
}

#[tokio::test]
async fn reads_records_that_powertools_wrote_without_options() {
    let table = table().await;
    for (status, data, expected) in [
        // Powertools without `payload_validation_jmespath` writes no `validation`, so the fingerprint matches no
        // request.
        (
            "COMPLETED",
            Some(r#"{"paid": true}"#),
            StartResult::Completed(SavedResponse {
                fingerprint: Fingerprint(String::new()),
                response: r#"{"paid": true}"#.to_owned(),
            }),
        ),
        // Powertools without the Lambda context writes no `in_progress_expiration`, so no attempt takes over before the
        // expiry.
        ("INPROGRESS", None, StartResult::InProgress),
    ] {
        let attempt = new_attempt();
        let mut record =
            item(&attempt, &[("status", string(status)), ("expiration", AttributeValue::N("1795403329".to_owned()))]);
        record.extend(data.map(|data| ("data".to_owned(), string(data))));
        let put = Client::new(&emulator_config()).put_item().table_name(table_name().await).set_item(Some(record));
        put.send().await.unwrap();
        assert_eq!(table.start(&attempt).await.unwrap(), expected);
    }
}
