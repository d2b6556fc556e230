//! The history of a customer: actions and responses.

use std::collections::BTreeSet;

/// How a customer uses e-mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Registers with an address of their own and confirms it.
    #[default]
    Owner,
    /// Registers with an address that bounces, and confirms it.
    Bouncing,
    /// Registers again and again with addresses of a stranger's mailbox, which is the same for all impostors.
    Impostor,
}

impl Role {
    /// The role of the customer with this number.
    pub(crate) fn of_customer(number: usize) -> Self {
        match number {
            // The addresses of the SES simulator that bounce are one mailbox, which gets three confirmation e-mails per
            // hour.
            5 | 11 | 17 => Self::Bouncing,
            _ if number % 6 == 4 => Self::Impostor,
            _ => Self::Owner,
        }
    }
}

/// The actions of a customer and the responses to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) role: Role,
    /// The e-mail address that the customer registered with first.
    pub(crate) email: String,
    pub(crate) registered: bool,
    /// Whether the API confirmed the e-mail address.
    pub(crate) confirmed: bool,
    /// Whether the API reported that the e-mail address bounces.
    pub(crate) bounced: bool,
    /// IDs of the orders about which an e-mail must be sent: those placed when the address was confirmed.
    pub(crate) announced: BTreeSet<String>,
    /// IDs of the orders about which no e-mail may be sent: those placed when the address bounced, and all of an
    /// impostor.
    pub(crate) unannounced: BTreeSet<String>,
    /// IDs of the orders that were accepted.
    pub(crate) accepted: Vec<String>,
    /// IDs of the orders for which the API confirmed the cancellation.
    pub(crate) cancelled: Vec<String>,
    /// Number of orders that were rejected as out of stock.
    pub(crate) out_of_stock: u64,
    /// Number of requests, not counting retries.
    pub(crate) requests: u64,
    /// Number of retries because there was no final response.
    pub(crate) retries: u64,
    /// Number of completed requests that were repeated and got the same response.
    pub(crate) same: u64,
    /// Descriptions of repeated requests whose response differs from the first one.
    pub(crate) different: Vec<String>,
    /// Descriptions of responses that no customer should get.
    pub(crate) unexpected: Vec<String>,
}
