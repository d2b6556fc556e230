//! The link between an e-mail and the idempotency record of its delivery. `notify-customer` creates the record and
//! `confirm-email` completes it.

use std::time::Duration;

/// The delivery of one e-mail. There is one delivery per event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailDelivery(String);

impl EmailDelivery {
    /// The name of the message tag in [`EmailMessage`](crate::EmailMessage) that contains [`EmailDelivery::digest`].
    pub const MESSAGE_TAG: &'static str = "record";

    /// The JSON response that the record of a successful delivery contains.
    pub const SENT: &'static str = "\"sent\"";

    /// Retention period of the record. It is longer than a message can stay in a queue and then in its dead-letter
    /// queue, which is up to 14 days each.
    pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// Creates a delivery from the digest of the event that the e-mail is about. The digest must contain only letters
    /// and digits.
    pub fn new(digest: String) -> Self {
        Self(digest)
    }

    /// Returns the key of the idempotency record.
    pub fn key(&self) -> String {
        format!("notify-customer#{}", self.0)
    }

    /// Returns the digest of the event.
    pub fn digest(&self) -> &str {
        &self.0
    }
}
