//! Ports for storing, finding, and changing products.

use std::collections::BTreeMap;

use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, Version};

use crate::{Product, ProductId, ProductPatch};

/// Stores new products.
pub trait CreateProduct: Sync {
    /// Stores `product`, which must have a new unique identifier.
    fn create(&self, product: &Product) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Looks up a product.
pub trait GetProduct: Sync {
    /// Returns the product with a strongly consistent read, or `None` if it does not exist.
    fn get(&self, id: ProductId) -> impl Future<Output = Result<Option<Product>, PortError>> + Send;
}

/// Looks up several products at once.
pub trait GetProducts: Sync {
    /// Returns the products that exist, by identifier.
    fn get_many(&self, ids: &[ProductId]) -> impl Future<Output = Result<BTreeMap<ProductId, Product>, PortError>> + Send;
}

/// Lists products.
pub trait ListProducts: Sync {
    /// Returns one page of products, newest first. The listing is eventually consistent, so it may not contain new
    /// products yet.
    fn list(
        &self,
        page: &PageRequest<ProductId>,
    ) -> impl Future<Output = Result<Page<Product, ProductId>, PortError>> + Send;
}

/// Changes products.
pub trait UpdateProduct: Sync {
    /// Changes the fields in `patch` and returns the changed product. If `expected` is given, the product is changed
    /// only if it has that version.
    fn update(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        expected: Option<Version>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Product, UpdateError>> + Send;
}

/// Reason that a product was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The product does not exist.
    #[error("the product does not exist")]
    NotFound,
    /// The product does not have the expected version.
    #[error("the product has changed")]
    VersionMismatch,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Deletes products.
pub trait DeleteProduct: Sync {
    /// Deletes the product. Returns `false` if it does not exist, which can also happen when a retry follows a
    /// successful delete whose response was lost. Existing orders are not changed.
    fn delete(&self, id: ProductId) -> impl Future<Output = Result<bool, PortError>> + Send;
}
