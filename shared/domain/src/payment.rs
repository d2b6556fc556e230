//! Taking payment.

use std::fmt;

use ferrite_core::{Reason, ValueError};
use serde::{Deserialize, Serialize};

use crate::{Money, OrderId};

/// What the payment provider gave the customer's client in place of the card: `tok_` and up to 100 letters, digits or `_`.
///
/// It can be charged by whoever holds it, so its `Debug` form does not show it and it never leaves the order's item.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentToken(String);

impl PaymentToken {
    pub(crate) const PREFIX: &str = "tok_";
    pub(crate) const MAX_AFTER_PREFIX: usize = 100;

    /// The token, for the one who charges it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PaymentToken {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(ValueError::NotAnId { prefix: Self::PREFIX })?;
        if rest.is_empty()
            || rest.len() > Self::MAX_AFTER_PREFIX
            || !rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err(ValueError::Forbidden { allowed: "1 to 100 letters, digits or `_` after `tok_`" });
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

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The order it is for. Gateways take it as the idempotency key: one order is charged once, however often it is tried.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// From whom.
    pub token: PaymentToken,
}

/// How the payment of an order stands. The gateway decides once for each order, and never takes money for one that was
/// voided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// The amount was taken.
    Approved,
    /// The amount was not taken and will not be.
    Declined {
        /// Why, for the customer.
        reason: Reason,
    },
    /// The amount was given back, or never taken, because the order is not to be paid for any more.
    Voided,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown_by_debug() {
        let token = PaymentToken::try_from("tok_success".to_owned()).unwrap();
        assert!(!format!("{token:?}").contains("success"));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "tok_", "success", "tok_a b", "4242424242424242"] {
            assert!(PaymentToken::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
