//! Opening a connection leaves nothing behind.

use aws_sdk_dynamodb::Client;
use ferrite_aws::testing::emulator_config;
use ferrite_store::Table;

use crate::create_table;

#[tokio::test]
async fn a_table_is_as_it_was_before_its_connection_was_opened() {
    let name = create_table().await;
    let table = Table::new(&emulator_config(), name.clone());
    table.prewarm_put().await;
    table.prewarm_update().await;
    table.prewarm_delete().await;
    let items = Client::new(&emulator_config()).scan().table_name(&name).send().await.unwrap().count();
    assert_eq!(items, 0);
}
