//! The in-memory adapters keep the contracts that the AWS adapters keep.

use ferrite_domain::memory::{MemoryGateway, MemoryStore};

mod products {
    use super::*;
    ferrite_domain::product_store_contract!(MemoryStore::default());
}

mod orders {
    use super::*;
    ferrite_domain::order_store_contract!(MemoryStore::default());
}

mod gateway {
    use super::*;
    ferrite_domain::sandbox_gateway_contract!(MemoryGateway::default());
}
