//! Item format of a customer in the table and its stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext, Version};
use ferrite_domain::{Customer, CustomerId, CustomerName, Email};
use serde::{Deserialize, Serialize};

use super::keys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileItem {
    pk: String,
    sk: String,
    customer_id: CustomerId,
    email: Email,
    name: CustomerName,
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Trace context of the last change. It is stored because stream records contain only the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

pub(super) fn write(
    customer: &Customer,
    trace_context: &TraceContext,
) -> Result<HashMap<String, AttributeValue>, PortError> {
    let customer = customer.clone();
    let item = ProfileItem {
        pk: keys::customer_partition(&customer.id),
        sk: keys::PROFILE.to_owned(),
        customer_id: customer.id,
        email: customer.email,
        name: customer.name,
        version: customer.version,
        created_at: customer.created_at,
        updated_at: customer.updated_at,
        trace_context: trace_context.clone(),
    };
    serde_dynamo::to_item(item).map_err(|error| PortError::new("writing a customer item", error))
}

pub(super) fn read(item: impl Into<serde_dynamo::Item>) -> Result<Customer, PortError> {
    read_with_trace_context(item).map(|(customer, _)| customer)
}

/// Reads the customer and the trace context of their last change.
pub(super) fn read_with_trace_context(item: impl Into<serde_dynamo::Item>) -> Result<(Customer, TraceContext), PortError> {
    let item: ProfileItem =
        serde_dynamo::from_item(item.into()).map_err(|error| PortError::new("reading a customer item", error))?;
    let customer = Customer {
        id: item.customer_id,
        email: item.email,
        name: item.name,
        version: item.version,
        created_at: item.created_at,
        updated_at: item.updated_at,
    };
    Ok((customer, item.trace_context))
}
