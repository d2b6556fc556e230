//! Customer ports.

use ferrite_core::ports::PortError;
use ferrite_core::{TraceContext, Version};

use super::MemoryStore;
use crate::ports::{GetCustomer, PutCustomer, SaveResult};
use crate::{Customer, CustomerId};

impl GetCustomer for MemoryStore {
    async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, PortError> {
        Ok(self.state().customers.get(id).cloned())
    }
}

impl PutCustomer for MemoryStore {
    async fn put(&self, customer: &Customer, _: &TraceContext) -> Result<SaveResult, PortError> {
        let mut state = self.state();
        let is_next_version = match state.customers.get(&customer.id) {
            Some(stored) if stored == customer => return Ok(SaveResult::Saved),
            Some(stored) => stored.version.next() == customer.version,
            None => customer.version == Version::FIRST,
        };
        if !is_next_version {
            return Ok(SaveResult::Conflict);
        }
        state.customers.insert(customer.id.clone(), customer.clone());
        Ok(SaveResult::Saved)
    }
}
