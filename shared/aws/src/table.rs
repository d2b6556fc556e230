//! DynamoDB table whose items have the keys `pk` and `sk`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_types::SdkConfig;
use ferrite_core::ports::PortError;

use crate::client::dynamodb_client;
use crate::{one_attempt, prewarm};

/// The partition of the item in calls for prewarming. No item has this partition key.
const NO_PARTITION: &str = "NONE";

/// A DynamoDB table whose primary key consists of the strings `pk` and `sk`.
///
/// It is a part of an application's own table type, which knows the keys of its items. The methods that start with
/// `prewarm` open the connection during init. They do not read or change anything: their item, with the partition key
/// `NONE`, does not exist, and the condition of the write is never true. The role of the function must allow the action
/// and this partition.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// Uses the table `name`.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }

    /// Stores an item, unless one with its key exists. Returns whether it was stored (`dynamodb:PutItem`).
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn create(&self, item: HashMap<String, AttributeValue>) -> Result<bool, PortError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        is_condition_met("PutItem", put.condition_expression("attribute_not_exists(pk)").send().await)
    }

    /// Returns the item with this key with a strongly consistent read (`dynamodb:GetItem`).
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn get(
        &self,
        partition: impl Into<String>,
        sort: impl Into<String>,
    ) -> Result<Option<HashMap<String, AttributeValue>>, PortError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(partition, sort)));
        Ok(get.consistent_read(true).send().await.map_err(PortError::during("GetItem"))?.item)
    }

    /// Starts a conditional update of the item with this key, for [`update_if`](Self::update_if) (`dynamodb:UpdateItem`).
    pub fn update(&self, partition: impl Into<String>, sort: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).set_key(Some(key(partition, sort)))
    }

    /// Sends an update. Returns `false` if its condition is not met.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn update_if(&self, update: UpdateItemFluentBuilder) -> Result<bool, PortError> {
        is_condition_met("UpdateItem", update.send().await)
    }

    /// Deletes the item with this key. Returns whether it existed (`dynamodb:DeleteItem`).
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn delete(&self, partition: impl Into<String>, sort: impl Into<String>) -> Result<bool, PortError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key(partition, sort)));
        let deleted = delete.return_values(ReturnValue::AllOld).send().await.map_err(PortError::during("DeleteItem"))?;
        Ok(deleted.attributes.is_some_and(|old| !old.is_empty()))
    }

    /// Starts a query of an index (`dynamodb:Query`).
    #[must_use]
    pub fn query(&self, index: &str) -> QueryFluentBuilder {
        self.client.query().table_name(&self.name).index_name(index)
    }

    /// Prewarms a function that reads items (`dynamodb:GetItem`).
    pub async fn prewarm_read(&self) {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(NO_PARTITION, NO_PARTITION)));
        prewarm(get.projection_expression("pk").customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that queries an index, whose partition key has the name `partition_key` (`dynamodb:Query`).
    pub async fn prewarm_query(&self, index: &str, partition_key: &str) {
        let query = self
            .query(index)
            .key_condition_expression(format!("{partition_key} = :none"))
            .expression_attribute_values(":none", AttributeValue::S(NO_PARTITION.to_owned()));
        prewarm(query.customize().config_override(one_attempt()).send()).await;
    }

    /// Prewarms a function that creates items (`dynamodb:PutItem`).
    pub async fn prewarm_put(&self) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(key(NO_PARTITION, NO_PARTITION)));
        let put = put.condition_expression("attribute_exists(pk) AND attribute_not_exists(pk)");
        prewarm(put.customize().config_override(one_attempt()).send()).await;
    }
}

fn key(partition: impl Into<String>, sort: impl Into<String>) -> HashMap<String, AttributeValue> {
    let values = [("pk", partition.into()), ("sk", sort.into())];
    values.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// Returns whether the condition of a write was met.
fn is_condition_met<T, E, R>(operation: &'static str, result: Result<T, SdkError<E, R>>) -> Result<bool, PortError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("ConditionalCheckFailedException") => Ok(false),
            _ => Err(PortError::new(operation, error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MockServer, config_at, ok, response};

    const FAILED_CONDITION: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#;

    async fn table(status: u16, body: &'static str) -> (MockServer, Table) {
        let server = MockServer::start(move |_| response(status, body)).await;
        let table = Table::new(&config_at(server.address), "notes".to_owned());
        (server, table)
    }

    #[tokio::test]
    async fn reports_whether_the_condition_of_a_write_was_met() {
        for (status, body, expected) in [(200, "{}", true), (400, FAILED_CONDITION, false)] {
            let (_server, table) = table(status, body).await;
            assert_eq!(table.create(key("a", "b")).await.unwrap(), expected);
            assert_eq!(table.update_if(table.update("a", "b")).await.unwrap(), expected);
        }
        let denied = r#"{"__type": "com.amazon.coral.service#AccessDeniedException"}"#;
        let (_server, table) = table(400, denied).await;
        assert_eq!(table.create(key("a", "b")).await.unwrap_err().operation, "PutItem");
        assert_eq!(table.update_if(table.update("a", "b")).await.unwrap_err().operation, "UpdateItem");
    }

    #[tokio::test]
    async fn reports_whether_an_item_existed() {
        let (_server, empty) = table(200, "{}").await;
        assert_eq!((empty.get("a", "b").await.unwrap(), empty.delete("a", "b").await.unwrap()), (None, false));
        let (server, table) = table(200, r#"{"Item": {"pk": {"S": "a"}}, "Attributes": {"pk": {"S": "a"}}}"#).await;
        assert_eq!(table.get("a", "b").await.unwrap().unwrap()["pk"], AttributeValue::S("a".to_owned()));
        assert!(table.delete("a", "b").await.unwrap());
        let get: serde_json::Value = serde_json::from_str(&server.requests()[0].body).unwrap();
        assert_eq!((&get["ConsistentRead"], &get["Key"]["sk"]["S"]), (&true.into(), &"b".into()));
    }

    #[tokio::test]
    async fn prewarms_without_touching_an_item() {
        let server = MockServer::start(|_| ok("{}")).await;
        let table = Table::new(&config_at(server.address), "notes".to_owned());
        table.prewarm_read().await;
        table.prewarm_query("gsi1", "gsi1pk").await;
        table.prewarm_put().await;
        let requests = server.requests();
        let actions: Vec<&str> = requests.iter().map(|request| request.action.as_str()).collect();
        assert_eq!(actions, ["GetItem", "Query", "PutItem"]);
        assert!(requests.iter().all(|request| request.body.contains("NONE")));
        assert!(requests[2].body.contains("attribute_exists(pk) AND attribute_not_exists(pk)"));
    }
}
