//! In-memory implementation of the DynamoDB table.

mod customers;
mod email;
mod orders;
mod products;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use ferrite_core::Timestamp;
use ferrite_core::ports::SavedResponse;

use crate::{Customer, CustomerId, EmailFeedback, Order, OrderId, Product, ProductId};

/// Products, customers, orders, e-mail limits and feedback, and saved responses behind one lock, so every operation is atomic.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    products: BTreeMap<ProductId, Product>,
    customers: BTreeMap<CustomerId, Customer>,
    orders: BTreeMap<(CustomerId, OrderId), Order>,
    /// Feedback by the address or mailbox that it applies to.
    feedback: BTreeMap<String, EmailFeedback>,
    /// Digests of the deliveries by counter and hour since 1970.
    deliveries: BTreeMap<(String, i64), BTreeSet<String>>,
    saved_responses: BTreeMap<(CustomerId, String), (SavedResponse, Timestamp)>,
}

impl MemoryStore {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}
