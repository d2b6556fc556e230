//! Opening the connection to DynamoDB in init, with a call that the function's role allows.
//!
//! No call reads or changes anything: its item does not exist, and writes have a condition that never holds. A read costs
//! half a read unit and a write one write unit, once for each new execution environment.

use ferrite_aws::{one_attempt, prewarm};

use super::{Table, keys};

/// Holds neither for an item nor where there is none.
const NEVER: &str = "attribute_exists(pk) AND attribute_not_exists(pk)";

impl Table {
    /// Prewarms a function that reads items (`dynamodb:GetItem`).
    pub async fn prewarm_read(&self) {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(get.projection_expression("pk").customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that lists products, or the orders of all customers (`dynamodb:Query` on the index).
    pub async fn prewarm_index_query(&self) {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(keys::LIST_INDEX)
            .key_condition_expression("gsi1pk = :none")
            .expression_attribute_values(":none", keys::string(keys::NO_PARTITION));
        prewarm(query.customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that lists orders (`dynamodb:Query` on the table).
    pub async fn prewarm_query(&self) {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :none")
            .expression_attribute_values(":none", keys::string(keys::NO_PARTITION));
        prewarm(query.customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that puts items and reads none (`dynamodb:PutItem`).
    pub async fn prewarm_put(&self) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(keys::no_item())).condition_expression(NEVER);
        prewarm(put.customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that updates items and reads none (`dynamodb:UpdateItem`).
    pub async fn prewarm_update(&self) {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(update.condition_expression(NEVER).customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that deletes items and reads none (`dynamodb:DeleteItem`).
    pub async fn prewarm_delete(&self) {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(delete.condition_expression(NEVER).customize().config_override(one_attempt()).send()).await;
    }
}

#[cfg(test)]
mod tests {
    use ferrite_aws::testing::{Server, config_at, ok};

    use super::*;

    #[tokio::test]
    async fn makes_the_call_that_the_role_allows() {
        let server = Server::start(|_| ok("{}")).await;
        let table = Table::new(&config_at(server.address), "table".to_owned());
        table.prewarm_read().await;
        table.prewarm_index_query().await;
        table.prewarm_query().await;
        table.prewarm_put().await;
        table.prewarm_update().await;
        table.prewarm_delete().await;

        let actions: Vec<String> = server.seen().into_iter().map(|seen| seen.action).collect();
        assert_eq!(actions, ["GetItem", "Query", "Query", "PutItem", "UpdateItem", "DeleteItem"]);
    }
}
