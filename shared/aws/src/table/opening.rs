//! The connection to DynamoDB opened in init, by a call of the kind that the function's role allows.
//!
//! Each reads nothing and changes nothing: its item does not exist, and what would write is under a condition that never
//! holds. A read costs half a read unit, the others one write unit, for each new execution environment.

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;

use super::{Table, keys};
use crate::open;

/// Holds for no item, and for none that is absent.
const NEVER: &str = "attribute_exists(pk) AND attribute_not_exists(pk)";

impl Table {
    /// For a function that reads items (`dynamodb:GetItem`).
    pub async fn open_for_reading(&self) {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(keys::no_item()));
        open(get.projection_expression("pk").customize().config_override(one_attempt()).send()).await;
    }

    /// For a function that lists products, or the orders of all customers (`dynamodb:Query` on the index).
    pub async fn open_for_listing_by_index(&self) {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(keys::LIST_INDEX)
            .key_condition_expression("gsi1pk = :none")
            .expression_attribute_values(":none", keys::string(keys::NO_PARTITION));
        open(query.customize().config_override(one_attempt()).send()).await;
    }

    /// For a function that lists orders (`dynamodb:Query` on the table).
    pub async fn open_for_listing_orders(&self) {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :none")
            .expression_attribute_values(":none", keys::string(keys::NO_PARTITION));
        open(query.customize().config_override(one_attempt()).send()).await;
    }

    /// For a function that puts items and reads none (`dynamodb:PutItem`).
    pub async fn open_for_putting(&self) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(keys::no_item())).condition_expression(NEVER);
        open(put.customize().config_override(one_attempt()).send()).await;
    }

    /// For a function that updates items and reads none (`dynamodb:UpdateItem`).
    pub async fn open_for_updating(&self) {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(keys::no_item()));
        open(update.condition_expression(NEVER).customize().config_override(one_attempt()).send()).await;
    }

    /// For a function that deletes items and reads none (`dynamodb:DeleteItem`).
    pub async fn open_for_deleting(&self) {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(keys::no_item()));
        open(delete.condition_expression(NEVER).customize().config_override(one_attempt()).send()).await;
    }
}

/// An endpoint that refuses the connection is not asked again: init goes on at once.
fn one_attempt() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, config_at, ok};

    #[tokio::test]
    async fn each_is_the_call_that_its_role_allows() {
        let server = Server::start(|_| ok("{}")).await;
        let table = Table::new(&config_at(server.address), "table".to_owned());
        table.open_for_reading().await;
        table.open_for_listing_by_index().await;
        table.open_for_listing_orders().await;
        table.open_for_putting().await;
        table.open_for_updating().await;
        table.open_for_deleting().await;

        let actions: Vec<String> = server.seen().into_iter().map(|seen| seen.action).collect();
        assert_eq!(actions, ["GetItem", "Query", "Query", "PutItem", "UpdateItem", "DeleteItem"]);
    }
}
