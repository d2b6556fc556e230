//! JSON bodies for customers.

use deserr::Deserr;
use ferrite_core::{Timestamp, ValueError};
use ferrite_domain::{
    ConfirmationToken, Customer, CustomerId, CustomerName, Email, EmailFeedback, EmailStatus, Registration,
};
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

/// The token from a confirmation e-mail.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EmailConfirmation", deny_unknown_fields))]
pub struct EmailConfirmationBody {
    #[deserr(try_from(String) = ConfirmationToken::try_from -> ValueError)]
    token: ConfirmationToken,
}

impl From<EmailConfirmationBody> for ConfirmationToken {
    fn from(body: EmailConfirmationBody) -> Self {
        body.token
    }
}

/// The customer's profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
pub struct CustomerBody {
    id: CustomerId,
    email: Email,
    /// Whether e-mail is sent to the address.
    email_status: EmailStatus,
    name: CustomerName,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl CustomerBody {
    /// Creates the body. `feedback` is the feedback about the customer's address.
    pub fn new(customer: Customer, feedback: Option<EmailFeedback>) -> Self {
        Self {
            email_status: customer.email_status(feedback),
            id: customer.id,
            email: customer.email,
            name: customer.name,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}
