//! Identifiers of the storefront's entities.

use std::fmt;

use ferrite_core::{Subject, ValueError};
use serde::{Deserialize, Serialize};

ferrite_core::prefixed_id!(
    /// Identifies a product.
    ProductId,
    "prd_"
);
ferrite_core::prefixed_id!(
    /// Identifies an image of a product.
    ImageId,
    "img_"
);
ferrite_core::prefixed_id!(
    /// Identifies an order.
    OrderId,
    "ord_"
);

/// Identifies a customer: the `sub` claim (subject) of the token that the customer calls the API with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerId(Subject);

impl CustomerId {
    /// Returns the identifier as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<Subject> for CustomerId {
    fn from(subject: Subject) -> Self {
        Self(subject)
    }
}

impl TryFrom<String> for CustomerId {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Subject::try_from(text).map(Self)
    }
}

impl From<CustomerId> for String {
    fn from(id: CustomerId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_an_identifier_with_another_prefix() {
        assert!("ord_0192f0c1a2b37c4d8e5f60718293a4b5".parse::<ProductId>().is_err());
    }
}
