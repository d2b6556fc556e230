//! Unique identifiers for tests that share a table.

use std::sync::{LazyLock, Mutex};

use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

use crate::ports::{IdGenerator, SecretGenerator};

/// Generates UUIDv7 identifiers that are unique across tests and sort in creation order.
#[derive(Debug, Default, Clone, Copy)]
pub struct UniqueIds;

impl IdGenerator for UniqueIds {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn new_id(&self) -> Uuid {
        static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));
        Uuid::new_v7(UuidTimestamp::now(&*CONTEXT.lock().unwrap()))
    }
}

/// The secrets are unique, but can be guessed.
impl SecretGenerator for UniqueIds {
    fn new_secret(&self) -> Uuid {
        self.new_id()
    }
}
