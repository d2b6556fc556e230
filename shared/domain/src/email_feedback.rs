//! What mail servers and recipients report about an e-mail address, and the resulting status of the address.

use ferrite_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Customer, Email};

/// Why no more e-mail is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeedbackKind {
    /// The recipient's mail server rejected an e-mail permanently (a hard bounce).
    Bounce,
    /// The recipient reported an e-mail as spam.
    Complaint,
}

/// A hard bounce or a complaint. It applies to the address, whichever customer uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailFeedback {
    /// Why no more e-mail is sent.
    pub kind: FeedbackKind,
    /// When the mail server or the recipient reported it.
    pub reported_at: Timestamp,
}

impl EmailFeedback {
    /// Returns the address, in lower case, that the feedback about `address` applies to. A person who complains wants no
    /// e-mail at any address of the mailbox. A mail server that rejects a subaddress may accept others.
    pub fn applies_to(&self, address: &Email) -> String {
        match self.kind {
            FeedbackKind::Bounce => address.lower_case(),
            FeedbackKind::Complaint => address.mailbox(),
        }
    }
}

/// Whether a customer receives e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmailStatus {
    /// The owner of the address has not confirmed it. Only confirmation e-mails are sent.
    Unconfirmed,
    /// The owner of the address has confirmed it.
    Confirmed,
    /// The address does not exist or rejects e-mail. No e-mail is sent.
    Bounced,
    /// The recipient reported an e-mail as spam. No e-mail is sent.
    Complained,
}

impl Customer {
    /// Returns the status of the customer's address. `feedback` is the feedback about that address.
    pub fn email_status(&self, feedback: Option<EmailFeedback>) -> EmailStatus {
        match feedback.map(|feedback| feedback.kind) {
            Some(FeedbackKind::Bounce) => EmailStatus::Bounced,
            Some(FeedbackKind::Complaint) => EmailStatus::Complained,
            None if self.email_confirmation.is_confirmed() => EmailStatus::Confirmed,
            None => EmailStatus::Unconfirmed,
        }
    }
}
