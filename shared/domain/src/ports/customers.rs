//! Customers' profiles.

use ferrite_core::TraceContext;
use ferrite_core::ports::PortError;

use crate::{Customer, CustomerId};

/// Looks a customer up.
pub trait GetCustomer: Sync {
    /// The customer, as last committed; `None` for one who never registered.
    fn get(&self, id: &CustomerId) -> impl Future<Output = Result<Option<Customer>, PortError>> + Send;
}

/// Keeps customers.
pub trait PutCustomer: Sync {
    /// Keeps the customer as `cause` made them, if the version before this one is what is kept now (for the first version: if
    /// nobody is). `false` when somebody else was quicker, and then nothing was changed. To put the same again, because the
    /// answer was lost, is safe and `true` again.
    fn put(&self, customer: &Customer, cause: &TraceContext) -> impl Future<Output = Result<bool, PortError>> + Send;
}
