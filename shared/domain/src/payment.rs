//! Payment tokens, charges, and payment results.

use std::fmt;

use ferrite_core::{Reason, ValueError};
use serde::{Deserialize, Serialize};

use crate::{Money, OrderId};

/// A token from the payment provider that stands for the customer's card: `tok_` and 1 to 100 letters, digits, or `_`.
///
/// Anyone who has the token can charge it. Therefore the `Debug` output does not contain it, and it is stored only in
/// the order's table item.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentToken(String);

impl PaymentToken {
    pub(crate) const PREFIX: &str = "tok_";
    pub(crate) const MAX_AFTER_PREFIX: usize = 100;

    /// Returns the token. Use it only to charge the payment or to store the order.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PaymentToken {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let suffix = text.strip_prefix(Self::PREFIX).ok_or(ValueError::NotAnId { prefix: Self::PREFIX })?;
        if suffix.is_empty()
            || suffix.len() > Self::MAX_AFTER_PREFIX
            || !suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err(ValueError::Forbidden { allowed: "1 to 100 letters, digits, or `_` after `tok_`" });
        }
        Ok(Self(text))
    }
}

impl From<PaymentToken> for String {
    fn from(token: PaymentToken) -> Self {
        token.0
    }
}

impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken(…)")
    }
}

/// A request to charge the customer for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The order to charge for. Gateways use it as the idempotency key, so retries charge an order only once.
    pub order: OrderId,
    /// The amount to charge.
    pub amount: Money,
    /// The customer's payment token.
    pub token: PaymentToken,
}

/// Result of the payment of an order. The gateway decides once per order and never charges a voided one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// The amount was charged.
    Approved,
    /// The charge was declined. This is final.
    Declined {
        /// The reason, shown to the customer.
        reason: Reason,
    },
    /// The payment was voided because the order was cancelled. Any charged amount was refunded.
    Voided,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_token() {
        let token = PaymentToken::try_from("tok_success".to_owned()).unwrap();
        assert!(!format!("{token:?}").contains("success"));
    }

    #[test]
    fn rejects_invalid_tokens() {
        for text in ["", "tok_", "success", "tok_a b", "4242424242424242"] {
            assert!(PaymentToken::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
