//! The DynamoDB table.

use crate::keys;

/// The DynamoDB table. Implements all ports that store notes.
#[derive(Debug, Clone)]
pub struct Table(pub(crate) ferrite_aws::Table);

impl Table {
    /// Uses the table `name`.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self(ferrite_aws::Table::new(config, name))
    }

    /// Prewarms a function that reads notes (`dynamodb:GetItem`).
    pub async fn prewarm_read(&self) {
        self.0.prewarm_read().await;
    }

    /// Prewarms a function that lists notes (`dynamodb:Query` on the index).
    pub async fn prewarm_index_query(&self) {
        self.0.prewarm_query(keys::LIST_INDEX, "gsi1pk").await;
    }

    /// Prewarms a function that creates notes (`dynamodb:PutItem`).
    pub async fn prewarm_put(&self) {
        self.0.prewarm_put().await;
    }
}
