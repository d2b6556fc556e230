//! Confirmation that the owner of an e-mail address agreed to receive e-mail: a single-use token with a lifetime.

use std::fmt;
use std::time::Duration;

use ferrite_core::{Timestamp, ValueError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The secret in a confirmation e-mail: 32 lower-case hexadecimal digits.
///
/// It is stored as it is, because notify-customer has to send it. A reader of the table could only confirm the address
/// of the customer to whom the token belongs, and only with that customer's access token. The `Debug` output does not
/// contain the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConfirmationToken(String);

impl ConfirmationToken {
    pub(crate) const LENGTH: usize = 32;

    /// Creates a token from a secret.
    pub fn new(secret: Uuid) -> Self {
        Self(secret.simple().to_string())
    }

    /// Returns the token. Use it only to send it to the address or to store it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ConfirmationToken {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let token = text.trim_matches(' ');
        if token.len() == Self::LENGTH && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(token.to_owned()));
        }
        Err(ValueError::Invalid { expected: "the token from the confirmation e-mail" })
    }
}

impl From<ConfirmationToken> for String {
    fn from(token: ConfirmationToken) -> Self {
        token.0
    }
}

impl fmt::Debug for ConfirmationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmationToken(…)")
    }
}

/// Whether the owner of a customer's e-mail address has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailConfirmation {
    /// The owner has not confirmed the address.
    Unconfirmed {
        /// The latest request to confirm the address. `None` for a profile from before addresses were confirmed.
        request: Option<ConfirmationRequest>,
    },
    /// The owner has confirmed the address.
    Confirmed {
        /// When the owner confirmed the address.
        at: Timestamp,
    },
}

/// A request to confirm an e-mail address. A later request replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationRequest {
    /// The token that the confirmation e-mail contains.
    pub token: ConfirmationToken,
    /// When the confirmation was requested.
    pub requested_at: Timestamp,
}

impl ConfirmationRequest {
    /// How long a token is valid after the last request.
    pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// Minimum time between two requests for the same address. A retry of `PUT /me` within this time sends no second
    /// e-mail.
    pub const MIN_INTERVAL: Duration = Duration::from_secs(5 * 60);

    /// Returns whether the token is valid at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.requested_at.plus(Self::LIFETIME)
    }
}

impl EmailConfirmation {
    /// An unconfirmed address whose owner receives `token`.
    pub(crate) fn requested(token: ConfirmationToken, now: Timestamp) -> Self {
        Self::Unconfirmed { request: Some(ConfirmationRequest { token, requested_at: now }) }
    }

    /// Returns whether another confirmation e-mail may be sent to the same address.
    pub(crate) fn may_be_requested_again(&self, now: Timestamp) -> bool {
        match self {
            Self::Confirmed { .. } => false,
            Self::Unconfirmed { request: None } => true,
            Self::Unconfirmed { request: Some(request) } => {
                now >= request.requested_at.plus(ConfirmationRequest::MIN_INTERVAL)
            }
        }
    }

    /// Returns the token that confirms the address at `now`. `None` if the address is confirmed already, or if there is
    /// no valid token.
    pub fn valid_token(&self, now: Timestamp) -> Option<&ConfirmationToken> {
        match self {
            Self::Unconfirmed { request: Some(request) } if request.is_valid(now) => Some(&request.token),
            _ => None,
        }
    }

    /// Returns whether the address is confirmed.
    pub fn is_confirmed(&self) -> bool {
        matches!(self, Self::Confirmed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_what_it_generates() {
        let token = ConfirmationToken::new(Uuid::from_u128(7));
        assert_eq!(token.expose(), "00000000000000000000000000000007");
        assert_eq!(ConfirmationToken::try_from(format!(" {} ", token.expose())), Ok(token));
        for text in ["", "7", "0000000000000000000000000000000G", "00000000-0000-0000-0000-000000000007"] {
            assert!(ConfirmationToken::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        let confirmation =
            EmailConfirmation::requested(ConfirmationToken::new(Uuid::from_u128(0xabc)), Timestamp::from_unix_millis(1));
        assert!(!format!("{confirmation:?}").contains("abc"));
    }
}
