//! JSON bodies for customers.

use deserr::Deserr;
use ferrite_core::{Timestamp, ValueError};
use ferrite_domain::{Customer, CustomerId, CustomerName, Email, Registration};
use ferrite_runtime::http::InvalidBody;
use serde::Serialize;

/// The customer's e-mail address and name.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Registration", deny_unknown_fields))]
pub struct RegistrationBody {
    #[deserr(try_from(String) = Email::try_from -> ValueError)]
    email: Email,
    #[deserr(try_from(String) = CustomerName::try_from -> ValueError)]
    name: CustomerName,
}

impl From<RegistrationBody> for Registration {
    fn from(body: RegistrationBody) -> Self {
        Self { email: body.email, name: body.name }
    }
}

/// The customer's profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
pub struct CustomerBody {
    id: CustomerId,
    email: Email,
    name: CustomerName,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Customer> for CustomerBody {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email,
            name: customer.name,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}
