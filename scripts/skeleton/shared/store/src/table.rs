//! The DynamoDB table.

use aws_sdk_dynamodb::Client;
use ferrite_aws::{dynamodb_client, one_attempt, prewarm};
use ferrite_core::ports::PortError;

use crate::keys;

/// The DynamoDB table. Implements all ports that store notes.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// Uses the table `name`.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }
}

/// Calls that open the connection to DynamoDB during init, each of which the role of its function allows. They do not read or
/// change anything: their item does not exist, and the condition of the write is never true.
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

/// Converts an SDK error to a port error with the name of the operation.
pub(crate) fn port_error<E>(operation: &'static str) -> impl Fn(E) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| PortError::new(operation, cause)
}
