//! The history of a customer: actions and responses.

/// The actions of a customer and the responses to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The e-mail address that the customer registered with.
    pub(crate) email: String,
    pub(crate) registered: bool,
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
