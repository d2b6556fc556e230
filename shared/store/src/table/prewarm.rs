//! Opens the connection to DynamoDB during init with a call that the function's role allows.
//!
//! The calls do not read or change anything: their item does not exist, and writes have a condition that is never true.
//! Per new execution environment, a read costs half a read unit, and a write costs one write unit.

use ferrite_aws::{one_attempt, prewarm};

use super::{Table, keys};

/// Condition that is false whether or not the item exists.
const NEVER_TRUE: &str = "attribute_exists(pk) AND attribute_not_exists(pk)";

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

    /// Prewarms a function that only puts items (`dynamodb:PutItem`).
    pub async fn prewarm_put(&self) {
        let put =
            self.client.put_item().table_name(&self.name).set_item(Some(keys::no_item())).condition_expression(NEVER_TRUE);
        prewarm(put.customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that only updates items (`dynamodb:UpdateItem`).
    pub async fn prewarm_update(&self) {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(update.condition_expression(NEVER_TRUE).customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that only deletes items (`dynamodb:DeleteItem`).
    pub async fn prewarm_delete(&self) {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(delete.condition_expression(NEVER_TRUE).customize().config_override(one_attempt()).send()).await;
    }
}

#[cfg(test)]
mod tests {
    use ferrite_aws::testing::{MockServer, config_at, ok};

    use super::*;

    #[tokio::test]
    async fn calls_the_operation_that_the_role_allows() {
        let server = MockServer::start(|_| ok("{}")).await;
        let table = Table::new(&config_at(server.address), "table".to_owned());
        table.prewarm_read().await;
        table.prewarm_index_query().await;
        table.prewarm_query().await;
        table.prewarm_put().await;
        table.prewarm_update().await;
        table.prewarm_delete().await;

        let actions: Vec<String> = server.requests().into_iter().map(|request| request.action).collect();
        assert_eq!(actions, ["GetItem", "Query", "Query", "PutItem", "UpdateItem", "DeleteItem"]);
    }
}
