//! Idempotency records in a table of their own.
//!
//! Its partition key is `id` and its time to live attribute `expiration`. The role needs `dynamodb:PutItem`, `UpdateItem`
//! and `DeleteItem` on it. What is done once costs two write units; what is asked for again costs one and reads nothing,
//! for a refused write brings what refused it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ferrite_domain::Timestamp;
use ferrite_domain::ports::{Attempt, Begun, IdempotencyRecords, StoreError};

use crate::client::dynamodb;
use crate::idempotency_record::{RecordItem, Status};

/// As Powertools has it: nobody was here, it was too long ago, or whoever began never ended.
const MAY_BEGIN: &str = "attribute_not_exists(id) OR expiration < :now \
     OR (#status = :in_progress AND attribute_exists(in_progress_expiration) AND in_progress_expiration < :now_in_millis)";

/// Somebody began, and neither answered nor gave up.
const IS_IN_PROGRESS: &str = "#status = :in_progress";

/// The record is in progress, and with the attempt that asks. Of attempts that were first, no two end at the same time: the
/// next becomes first when the one before has ended.
const IS_OURS: &str = "#status = :in_progress AND in_progress_expiration = :ours";

/// Idempotency records as Powertools for AWS Lambda (Python) keeps them by default, so that both can use one table.
#[derive(Debug, Clone)]
pub struct IdempotencyTable {
    client: Client,
    name: String,
}

impl IdempotencyTable {
    /// The table called `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb(config), name }
    }

    /// Writes the answer, under a condition that is for the caller to add.
    fn completion(&self, key: &str, answer: &str, expires_at: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(key.to_owned()))
            .update_expression("SET #data = :data, expiration = :expiration, #status = :completed")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":data", AttributeValue::S(answer.to_owned()))
            .expression_attribute_values(":expiration", number(expires_at.unix_seconds()))
            .expression_attribute_values(":completed", AttributeValue::S(Status::Completed.as_str().to_owned()))
            .expression_attribute_values(":in_progress", in_progress())
    }
}

impl IdempotencyRecords for IdempotencyTable {
    async fn begin(&self, attempt: &Attempt) -> Result<Begun, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(RecordItem::begun(attempt).write()?))
            .item("id", AttributeValue::S(attempt.key.clone()))
            .condition_expression(MAY_BEGIN)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", number(attempt.now.unix_seconds()))
            .expression_attribute_values(":now_in_millis", number(attempt.now.unix_millis()))
            .expression_attribute_values(":in_progress", in_progress())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Begun::First) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let record = RecordItem::read(refused.item().cloned().unwrap_or_default())?;
                Ok(record.into_answer().map_or(Begun::InProgress, Begun::Answered))
            }
            _ => Err(StoreError::new("PutItem", error)),
        }
    }

    async fn complete(&self, attempt: &Attempt, answer: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .completion(&attempt.key, answer, expires_at)
            .condition_expression(IS_OURS)
            .expression_attribute_values(":ours", ours(attempt))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let Some(item) = refused.item().filter(|item| !item.is_empty()) else { return Ok(false) };
                let record = RecordItem::read(item.clone())?;
                // The SDK sends an update again whose answer was lost, and finds what the first one left.
                let is_ours = record.in_progress_expiration == Some(attempt.in_progress_until.unix_millis());
                Ok(is_ours && record.data.as_deref() == Some(answer))
            }
            _ => Err(StoreError::new("UpdateItem", error)),
        }
    }

    async fn settle(&self, key: &str, answer: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let update = self.completion(key, answer, expires_at).condition_expression(IS_IN_PROGRESS);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(StoreError::new("UpdateItem", error)),
        }
    }

    async fn release(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(attempt.key.clone()))
            .condition_expression(IS_OURS)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":in_progress", in_progress())
            .expression_attribute_values(":ours", ours(attempt));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) => Err(StoreError::new("DeleteItem", error)),
        }
    }
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn in_progress() -> AttributeValue {
    AttributeValue::S(Status::InProgress.as_str().to_owned())
}

fn ours(attempt: &Attempt) -> AttributeValue {
    number(attempt.in_progress_until.unix_millis())
}
