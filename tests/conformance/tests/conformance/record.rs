//! The idempotency records that the functions share.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use ferrite_aws::sdk_config;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

fn client() -> Client {
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    assert!(config.endpoint_url().is_some(), "AWS_ENDPOINT_URL is not set: run these tests through ./scripts/test");
    Client::new(&config)
}

/// The table that all tests share. Each test uses its own keys.
pub(crate) async fn table() -> &'static str {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(create_table).await
}

/// Creates a table as Powertools' documentation describes ("Idempotency", "Required resources"), and returns its name.
pub(crate) async fn create_table() -> String {
    let name = format!("conformance-{}", Uuid::new_v4());
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build().unwrap();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let create = client().create_table().table_name(&name).attribute_definitions(id).key_schema(key);
    create.billing_mode(BillingMode::PayPerRequest).send().await.expect("the table is created");
    name
}

/// The only record of a table: each attribute with its type, with the JSON in `data` parsed and with times replaced by
/// a constant.
pub(crate) async fn only_record_of(table: &str) -> BTreeMap<String, Value> {
    let items = client().scan().table_name(table).consistent_read(true).send().await.unwrap().items.unwrap();
    let [item] = &items[..] else { panic!("{} records", items.len()) };
    item.iter().map(|(name, value)| (name.clone(), comparable(name, value))).collect()
}

fn comparable(name: &str, value: &AttributeValue) -> Value {
    match (name, value) {
        ("expiration" | "in_progress_expiration", AttributeValue::N(time)) => {
            assert!(time.parse::<u64>().is_ok(), "{name} is {time}");
            json!({ "N": "a time" })
        }
        ("data", AttributeValue::S(text)) => json!({ "S": serde_json::from_str::<Value>(text).unwrap() }),
        (_, AttributeValue::S(text)) => json!({ "S": text }),
        (_, other) => panic!("{name} is {other:?}"),
    }
}
