//! Storage of customers.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use ferrite_core::ports::PortError;
use ferrite_core::{TraceContext, Version};
use ferrite_domain::ports::{GetCustomer, PutCustomer, SaveResult};
use ferrite_domain::{Customer, CustomerId};

use super::keys::number;
use super::{Table, keys, profile_item};

impl GetCustomer for Table {
    async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, PortError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::profile(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(PortError::during("GetItem"))?;
        found.item.map(profile_item::read).transpose()
    }
}

impl PutCustomer for Table {
    async fn put(&self, customer: &Customer, trace_context: &TraceContext) -> Result<SaveResult, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(profile_item::write(customer, trace_context)?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = if customer.version == Version::FIRST {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :before")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":before", number(customer.version.get() - 1))
        };
        let Err(error) = put.send().await else { return Ok(SaveResult::Saved) };
        match error.as_service_error() {
            // The SDK retries a put whose response was lost. The retry then finds the item that the first attempt
            // wrote.
            Some(PutItemError::ConditionalCheckFailedException(failure)) => match failure.item() {
                Some(item) if !item.is_empty() && profile_item::read(item.clone())? == *customer => Ok(SaveResult::Saved),
                _ => Ok(SaveResult::Conflict),
            },
            _ => Err(PortError::during("PutItem")(error)),
        }
    }
}
