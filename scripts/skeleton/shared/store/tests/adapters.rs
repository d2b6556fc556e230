//! Runs the contract tests on the AWS adapters. The in-memory adapters are tested with the same contract tests.
//!
//! The tests create their own table in the emulator at `AWS_ENDPOINT_URL`, which `./scripts/test` sets.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but clippy does not treat helper functions as tests"
)]

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use ferrite_aws::testing::emulator_config;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use store::Table;
use tokio::sync::OnceCell;

fn attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

async fn create_table() -> String {
    let name = format!("adapters-{}", UniqueIds.new_id());
    let index = GlobalSecondaryIndex::builder()
        .index_name("gsi1")
        .key_schema(key("gsi1pk", KeyType::Hash))
        .key_schema(key("gsi1sk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    Client::new(&emulator_config())
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "gsi1pk", "gsi1sk"].map(attribute).into()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index)
        .send()
        .await
        .expect("should create the table");
    name
}

// The tests share the table but not the client, because a connection belongs to the Tokio runtime of the test that
// opened it.
async fn table() -> Table {
    static NAME: OnceCell<String> = OnceCell::const_new();
    Table::new(&emulator_config(), NAME.get_or_init(create_table).await.clone())
}

mod notes {
    domain::note_store_contract!(super::table().await);
}
