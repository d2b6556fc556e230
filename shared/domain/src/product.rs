//! Products.

use ferrite_core::{Timestamp, Version};

use crate::{Description, Image, Money, ProductId, ProductName, Stock};

/// Something that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product's identifier.
    pub id: ProductId,
    /// What it is called.
    pub name: ProductName,
    /// What it is like.
    pub description: Option<Description>,
    /// What one piece costs.
    pub price: Money,
    /// How many pieces can still be ordered; an order takes its pieces when it is placed.
    pub stock: Stock,
    /// Its images, oldest first.
    pub images: Vec<Image>,
    /// Counts the changes, those of stock and images included.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is needed to make a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// What it is called.
    pub name: ProductName,
    /// What it is like.
    pub description: Option<Description>,
    /// What one piece costs.
    pub price: Money,
    /// How many pieces there are.
    pub stock: Stock,
}

impl NewProduct {
    /// The product, in its first version.
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

/// A change of some of a product's fields; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductPatch {
    /// A new name.
    pub name: Option<ProductName>,
    /// A new description, or `Some(None)` for none any more.
    pub description: Option<Option<Description>>,
    /// A new price, for orders from now on.
    pub price: Option<Money>,
    /// A new count of pieces.
    pub stock: Option<Stock>,
}

impl ProductPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `product` after this change, made at `now`.
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
