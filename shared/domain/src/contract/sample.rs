//! Sample products and images for tests.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use super::now;
use crate::{Amount, ContentType, Currency, Image, ImageState, Money, NewProduct, Product, ProductName, Stock};

/// Creates a product that costs 12.50 EUR, with `stock` units available.
pub fn product(stock: u64) -> Product {
    NewProduct {
        name: ProductName::try_from("Assam".to_owned()).unwrap(),
        description: None,
        price: Money { amount: Amount::try_from(1250).unwrap(), currency: Currency::try_from("EUR".to_owned()).unwrap() },
        stock: Stock::try_from(stock).unwrap(),
    }
    .create(UniqueIds.new_id().into(), now())
}

/// Creates a pending image.
pub fn image() -> Image {
    Image {
        id: UniqueIds.new_id().into(),
        state: ImageState::Pending { content_type: ContentType::Jpeg },
        requested_at: now(),
    }
}
