//! What a customer did, and which responses came.

/// The responses that a customer got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The e-mail address that the customer registered with.
    pub(crate) email: String,
    pub(crate) registered: bool,
    /// The orders that were accepted.
    pub(crate) accepted: Vec<String>,
    /// The orders that were reported as cancelled.
    pub(crate) cancelled: Vec<String>,
    /// How many orders were rejected as out of stock.
    pub(crate) out_of_stock: u64,
    /// How many requests there were, not counting retries.
    pub(crate) requests: u64,
    /// How often a request was sent again because there was no final response.
    pub(crate) retries: u64,
    /// How many completed requests were repeated and got the same response.
    pub(crate) same: u64,
    /// Responses to repeated requests that differ from the first.
    pub(crate) different: Vec<String>,
    /// Responses that no customer should get.
    pub(crate) unexpected: Vec<String>,
}
