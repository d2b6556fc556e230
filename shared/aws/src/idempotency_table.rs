//! Idempotency records in a dedicated DynamoDB table.
//!
//! The table's partition key is `id`, and its time to live (TTL) attribute is `expiration`. The role needs
//! `dynamodb:PutItem`, `dynamodb:UpdateItem` and `dynamodb:DeleteItem` on the table. The first execution of a request
//! costs two write units. A repeated request costs one write unit and no read, because a failed conditional write
//! returns the item.

mod record;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, IdempotencyStore, PortError, StartResult};

pub use self::record::IdempotencyRecord;
use self::record::Status;
use crate::client::dynamodb_client;

/// Condition: there is no record, the record has expired, or its attempt timed out. Same condition as in Powertools.
const CAN_START: &str = "attribute_not_exists(id) OR expiration < :now \
     OR (#status = :in_progress AND attribute_exists(in_progress_expiration) AND in_progress_expiration < :now_in_millis)";

/// Condition: an attempt is in progress.
const IS_IN_PROGRESS: &str = "#status = :in_progress";

/// Condition: the record is in progress and belongs to this attempt. `in_progress_expiration` identifies the attempt:
/// another attempt can acquire the key only after this time or after the release, so its own value is different.
const IS_THIS_ATTEMPT: &str = "#status = :in_progress AND in_progress_expiration = :this_attempt";

/// DynamoDB table of idempotency records. Items have the default format of Powertools for AWS Lambda (Python), so both
/// can share a table.
#[derive(Debug, Clone)]
pub struct IdempotencyTable {
    client: Client,
    name: String,
}

impl IdempotencyTable {
    /// Uses the table `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }

    /// Builds an update that saves the response. The caller adds the condition.
    fn completion_update(&self, key: &str, response: &str, expires_at: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(key.to_owned()))
            .update_expression("SET #data = :data, expiration = :expiration, #status = :completed")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":data", AttributeValue::S(response.to_owned()))
            .expression_attribute_values(":expiration", number(expires_at.unix_seconds()))
            .expression_attribute_values(":completed", AttributeValue::S(Status::Completed.as_str().to_owned()))
            .expression_attribute_values(":in_progress", in_progress())
    }
}

impl IdempotencyStore for IdempotencyTable {
    async fn start(&self, attempt: &Attempt) -> Result<StartResult, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(IdempotencyRecord::in_progress(attempt).into_item()?))
            .item("id", AttributeValue::S(attempt.key.clone()))
            .condition_expression(CAN_START)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", number(attempt.now.unix_seconds()))
            .expression_attribute_values(":now_in_millis", number(attempt.now.unix_millis()))
            .expression_attribute_values(":in_progress", in_progress())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(StartResult::Acquired) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let record = IdempotencyRecord::from_item(failed.item().cloned().unwrap_or_default())?;
                Ok(record.into_response().map_or(StartResult::InProgress, StartResult::Completed))
            }
            _ => Err(PortError::new("PutItem", error)),
        }
    }

    async fn complete(&self, attempt: &Attempt, response: &str, expires_at: Timestamp) -> Result<bool, PortError> {
        let update = self
            .completion_update(&attempt.key, response, expires_at)
            .condition_expression(IS_THIS_ATTEMPT)
            .expression_attribute_values(":this_attempt", attempt_id(attempt))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let Some(item) = failed.item().filter(|item| !item.is_empty()) else { return Ok(false) };
                let record = IdempotencyRecord::from_item(item.clone())?;
                // The SDK retries an update whose response was lost. The retry then finds the response that the first
                // attempt saved.
                Ok(record.belongs_to(attempt) && record.data() == Some(response))
            }
            _ => Err(PortError::new("UpdateItem", error)),
        }
    }

    async fn complete_if_in_progress(&self, key: &str, response: &str, expires_at: Timestamp) -> Result<bool, PortError> {
        let update = self.completion_update(key, response, expires_at).condition_expression(IS_IN_PROGRESS);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(PortError::new("UpdateItem", error)),
        }
    }

    async fn release(&self, attempt: &Attempt) -> Result<(), PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(attempt.key.clone()))
            .condition_expression(IS_THIS_ATTEMPT)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":in_progress", in_progress())
            .expression_attribute_values(":this_attempt", attempt_id(attempt));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) => Err(PortError::new("DeleteItem", error)),
        }
    }
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn in_progress() -> AttributeValue {
    AttributeValue::S(Status::InProgress.as_str().to_owned())
}

fn attempt_id(attempt: &Attempt) -> AttributeValue {
    number(attempt.in_progress_until.unix_millis())
}
