//! Products and changes of their fields.

use ferrite_core::{Timestamp, Version};

use crate::{Description, Image, Money, ProductId, ProductName, Stock};

/// A product in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product's identifier.
    pub id: ProductId,
    /// The product's name.
    pub name: ProductName,
    /// The product's description.
    pub description: Option<Description>,
    /// Price of one unit.
    pub price: Money,
    /// Number of units available. Placing an order takes its units from the stock.
    pub stock: Stock,
    /// The product's images, oldest first.
    pub images: Vec<Image>,
    /// Incremented with each change, including changes of the stock and images.
    pub version: Version,
    /// When the product was created.
    pub created_at: Timestamp,
    /// When the product last changed.
    pub updated_at: Timestamp,
}

/// The data needed to create a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// The product's name.
    pub name: ProductName,
    /// The product's description.
    pub description: Option<Description>,
    /// Price of one unit.
    pub price: Money,
    /// Number of units available.
    pub stock: Stock,
}

impl NewProduct {
    /// Creates the product in its first version.
    pub fn create(self, id: ProductId, now: Timestamp) -> Product {
        Product {
            id,
            name: self.name,
            description: self.description,
            price: self.price,
            stock: self.stock,
            images: Vec::new(),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        }
    }
}

/// A change of some of a product's fields. Fields that are `None` stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductPatch {
    /// New name.
    pub name: Option<ProductName>,
    /// New description; `Some(None)` removes the description.
    pub description: Option<Option<Description>>,
    /// New price of one unit. It applies to orders placed after the change.
    pub price: Option<Money>,
    /// New number of units available.
    pub stock: Option<Stock>,
}

impl ProductPatch {
    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns `product` with the patch applied at time `now`.
    pub fn apply(&self, product: Product, now: Timestamp) -> Product {
        Product {
            name: self.name.clone().unwrap_or(product.name),
            description: self.description.clone().unwrap_or(product.description),
            price: self.price.unwrap_or(product.price),
            stock: self.stock.unwrap_or(product.stock),
            version: product.version.next(),
            updated_at: now,
            ..product
        }
    }
}
