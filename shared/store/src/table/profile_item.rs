//! Item format of a customer in the table and its stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext, Version};
use ferrite_domain::{ConfirmationRequest, ConfirmationToken, Customer, CustomerId, CustomerName, Email, EmailConfirmation};
use serde::{Deserialize, Deserializer, Serialize};

use super::keys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileItem {
    pk: String,
    sk: String,
    customer_id: CustomerId,
    #[serde(deserialize_with = "stored_email")]
    email: Email,
    #[serde(flatten)]
    confirmation: ConfirmationAttributes,
    name: CustomerName,
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Trace context of the last change. It is stored because stream records contain only the item.
    #[serde(flatten)]
    trace_context: TraceContext,
}

/// The state of the address: confirmed if it has a time of confirmation, and otherwise unconfirmed.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmationAttributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    email_confirmed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_token: Option<ConfirmationToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_requested_at: Option<Timestamp>,
}

impl From<EmailConfirmation> for ConfirmationAttributes {
    fn from(confirmation: EmailConfirmation) -> Self {
        match confirmation {
            EmailConfirmation::Confirmed { at } => Self { email_confirmed_at: Some(at), ..Self::default() },
            EmailConfirmation::Unconfirmed { request: Some(request) } => Self {
                confirmation_token: Some(request.token),
                confirmation_requested_at: Some(request.requested_at),
                ..Self::default()
            },
            EmailConfirmation::Unconfirmed { request: None } => Self::default(),
        }
    }
}

impl From<ConfirmationAttributes> for EmailConfirmation {
    fn from(attributes: ConfirmationAttributes) -> Self {
        match attributes {
            ConfirmationAttributes { email_confirmed_at: Some(at), .. } => Self::Confirmed { at },
            ConfirmationAttributes { confirmation_token, confirmation_requested_at, .. } => {
                let request = confirmation_token.zip(confirmation_requested_at);
                let request = request.map(|(token, requested_at)| ConfirmationRequest { token, requested_at });
                Self::Unconfirmed { request }
            }
        }
    }
}

/// Reads an address without validating it again: earlier versions accepted addresses that this version rejects, and
/// their customers must be able to change them.
fn stored_email<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Email, D::Error> {
    String::deserialize(deserializer).map(Email::from_stored)
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
        confirmation: customer.email_confirmation.into(),
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
        email_confirmation: item.confirmation.into(),
        name: item.name,
        version: item.version,
        created_at: item.created_at,
        updated_at: item.updated_at,
    };
    Ok((customer, item.trace_context))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_a_profile_of_an_earlier_version() {
        let item = json!({
            "pk": "CUSTOMER#ada", "sk": "PROFILE", "customerId": "ada", "email": "ada..l@example.com", "name": "Ada",
            "version": 3, "createdAt": "2026-11-22T22:00:00.000Z", "updatedAt": "2026-11-22T22:00:01.000Z",
        });
        let customer = read(serde_dynamo::to_item::<_, serde_dynamo::Item>(item).unwrap()).unwrap();
        assert_eq!(customer.email.expose(), "ada..l@example.com");
        assert_eq!(customer.email_confirmation, EmailConfirmation::Unconfirmed { request: None });
    }
}
