//! Keeping, finding and changing products.

use std::collections::BTreeMap;

use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, Version};

use crate::{Product, ProductId, ProductPatch};

/// Keeps new products.
pub trait CreateProduct: Sync {
    /// Keeps `product`, which has an identifier of its own.
    fn create(&self, product: &Product) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Looks a product up.
pub trait GetProduct: Sync {
    /// The product, as it was last committed.
    fn get(&self, id: ProductId) -> impl Future<Output = Result<Option<Product>, PortError>> + Send;
}

/// Looks several products up at once.
pub trait GetProducts: Sync {
    /// Those of the products that exist.
    fn get_many(&self, ids: &[ProductId]) -> impl Future<Output = Result<BTreeMap<ProductId, Product>, PortError>> + Send;
}

/// Lists products.
pub trait ListProducts: Sync {
    /// One page, newest first. A product that was just made may be missing for a moment.
    fn list(
        &self,
        page: &PageRequest<ProductId>,
    ) -> impl Future<Output = Result<Page<Product, ProductId>, PortError>> + Send;
}

/// Changes products.
pub trait UpdateProduct: Sync {
    /// Changes the fields that `patch` names and answers the product after the change. With `expected`, nothing is
    /// changed unless the product is in that version.
    fn update(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        expected: Option<Version>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Product, UpdateError>> + Send;
}

/// Why a product was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// It is in another version than was expected.
    #[error("the product has changed")]
    VersionMismatch,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Deletes products.
pub trait DeleteProduct: Sync {
    /// Deletes the product; `false` when there was none, or none any more because the answer to a first try was lost. Orders
    /// keep what they say of it.
    fn delete(&self, id: ProductId) -> impl Future<Output = Result<bool, PortError>> + Send;
}
