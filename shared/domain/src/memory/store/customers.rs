//! Customers.

use super::MemoryStore;
use crate::ports::{GetCustomer, PutCustomer, StoreError};
use crate::{Cause, Customer, CustomerId, Version};

impl GetCustomer for MemoryStore {
    async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.state().customers.get(id).cloned())
    }
}

impl PutCustomer for MemoryStore {
    async fn put(&self, customer: &Customer, _: &Cause) -> Result<bool, StoreError> {
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
