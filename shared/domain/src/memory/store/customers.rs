//! Customers.

use ferrite_core::ports::PortError;
use ferrite_core::{TraceContext, Version};

use super::MemoryStore;
use crate::ports::{GetCustomer, PutCustomer};
use crate::{Customer, CustomerId};

impl GetCustomer for MemoryStore {
    async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, PortError> {
        Ok(self.state().customers.get(id).cloned())
    }
}

impl PutCustomer for MemoryStore {
    async fn put(&self, customer: &Customer, _: &TraceContext) -> Result<bool, PortError> {
        let mut state = self.state();
        let follows = match state.customers.get(&customer.id) {
            Some(kept) if kept == customer => return Ok(true),
            Some(kept) => kept.version.next() == customer.version,
            None => customer.version == Version::FIRST,
        };
        if follows {
            state.customers.insert(customer.id.clone(), customer.clone());
        }
        Ok(follows)
    }
}
