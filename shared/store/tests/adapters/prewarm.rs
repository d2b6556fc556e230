//! Tests that prewarming does not change data.

use aws_sdk_dynamodb::Client;
use ferrite_aws::testing::{create_table_with_index, emulator_config};
use ferrite_store::Table;

#[tokio::test]
async fn does_not_write_items() {
    let name = create_table_with_index(&emulator_config()).await;
    let table = Table::new(&emulator_config(), name.clone());
    table.prewarm_put().await;
    table.prewarm_update().await;
    table.prewarm_delete().await;
    let items = Client::new(&emulator_config()).scan().table_name(&name).send().await.unwrap().count();
    assert_eq!(items, 0);
}
