//! Opens the connection to DynamoDB during init with a call that the function's role allows.
//!
//! The calls do not read or change anything: their item does not exist, and writes have a condition that is never true.
//! Per new execution environment, a read costs half a read unit, and a write costs one write unit.

use ferrite_aws::{one_attempt, prewarm};

use crate::keys;
use crate::table::Table;

impl Table {
    /// Prewarms a function that reads notes (`dynamodb:GetItem`).
    pub async fn prewarm_read(&self) {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(keys::no_item()));
        prewarm(get.projection_expression("pk").customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that lists notes (`dynamodb:Query` on the index).
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

    /// Prewarms a function that creates notes (`dynamodb:PutItem`).
    pub async fn prewarm_put(&self) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(keys::no_item()));
        let put = put.condition_expression("attribute_exists(pk) AND attribute_not_exists(pk)");
        prewarm(put.customize().config_override(one_attempt()).send()).await;
    }
}
