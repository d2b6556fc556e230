//! What ties an e-mail to the record of its sending: notify-customer begins it, confirm-email completes it.

use std::time::Duration;

/// One sending of an e-mail, which is done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending(String);

impl Sending {
    /// The label of [`EmailMessage`](crate::EmailMessage) that has what [`Sending::new`] was made of.
    pub const LABEL: &'static str = "record";

    /// The outcome in the record of a sending that ended well, as JSON.
    pub const SENT: &'static str = "\"sent\"";

    /// How long it is remembered what was sent: longer than a message can lie in a queue and then in its dead-letter queue,
    /// 14 days each.
    pub const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// The sending that goes by `digest`, of letters and digits, which is that of the event the mail tells of.
    pub fn new(digest: String) -> Self {
        Self(digest)
    }

    /// The key of its idempotency record.
    pub fn key(&self) -> String {
        format!("notify-customer#{}", self.0)
    }

    /// What [`Sending::new`] was made of.
    pub fn digest(&self) -> &str {
        &self.0
    }
}
