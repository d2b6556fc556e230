//! The link between an e-mail and the record of its delivery: notify-customer starts the record, confirm-email completes it.

use std::time::Duration;

/// The delivery of one e-mail, which happens once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailDelivery(String);

impl EmailDelivery {
    /// The name of the message tag in [`EmailMessage`](crate::EmailMessage) that contains [`EmailDelivery::digest`].
    pub const MESSAGE_TAG: &'static str = "record";

    /// The response in the record of a successful delivery, as JSON.
    pub const SENT: &'static str = "\"sent\"";

    /// How long the record is kept: longer than a message can stay in a queue and then in its dead-letter queue, 14 days each.
    pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// The delivery with this digest, of letters and digits, of the event that the e-mail is about.
    pub fn new(digest: String) -> Self {
        Self(digest)
    }

    /// The key of its idempotency record.
    pub fn key(&self) -> String {
        format!("notify-customer#{}", self.0)
    }

    /// The digest of the event.
    pub fn digest(&self) -> &str {
        &self.0
    }
}
