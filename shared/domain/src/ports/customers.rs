//! Ports for customer profiles.

use ferrite_core::TraceContext;
use ferrite_core::ports::PortError;

use super::SaveResult;
use crate::{Customer, CustomerId};

/// Looks up a customer.
pub trait GetCustomer: Sync {
    /// Returns the customer with a strongly consistent read, or `None` if the customer never registered.
    fn get(&self, id: &CustomerId) -> impl Future<Output = Result<Option<Customer>, PortError>> + Send;
}

/// Saves customers.
pub trait PutCustomer: Sync {
    /// Saves the customer if the stored version directly precedes this one, or if none is stored and this is the first
    /// version. Returns [`SaveResult::Conflict`] if a concurrent change was saved first. A retry with the same customer
    /// is safe and returns [`SaveResult::Saved`]. `trace_context` is the trace context of the request that made the
    /// change.
    fn put(
        &self,
        customer: &Customer,
        trace_context: &TraceContext,
    ) -> impl Future<Output = Result<SaveResult, PortError>> + Send;
}

/// Each attempt to change a customer conflicted with another change of the same customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many concurrent requests are changing this customer")]
pub struct TooManyConflicts;
