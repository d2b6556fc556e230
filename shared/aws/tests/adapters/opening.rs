//! Opening a connection leaves nothing behind.

use aws_sdk_dynamodb::Client;
use ferrite_aws::Table;

use crate::{config, create_table};

#[tokio::test]
async fn a_table_is_as_it_was_before_its_connection_was_opened() {
    let name = create_table().await;
    let table = Table::new(&config(), name.clone());
    table.open_for_putting().await;
    table.open_for_updating().await;
    table.open_for_deleting().await;
    let items = Client::new(&config()).scan().table_name(&name).send().await.unwrap().count();
    assert_eq!(items, 0);
}
