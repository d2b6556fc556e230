//! Item format of a product.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, Version};
use ferrite_domain::{Description, Image, ImageId, Money, Product, ProductId, ProductName, Stock};
use serde::{Deserialize, Serialize};

use super::keys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProductItem {
    pk: String,
    sk: String,
    gsi1pk: String,
    gsi1sk: String,
    id: ProductId,
    name: ProductName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    price: Money,
    stock: Stock,
    // A map rather than a list, so that an update expression can change one image by its identifier.
    images: BTreeMap<ImageId, Image>,
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
}

pub(super) fn write(product: &Product) -> Result<HashMap<String, AttributeValue>, PortError> {
    let product = product.clone();
    let item = ProductItem {
        pk: keys::product_partition(product.id),
        sk: keys::PRODUCT.to_owned(),
        gsi1pk: keys::ALL_PRODUCTS.to_owned(),
        gsi1sk: product.id.to_string(),
        id: product.id,
        name: product.name,
        description: product.description,
        price: product.price,
        stock: product.stock,
        images: product.images.into_iter().map(|image| (image.id, image)).collect(),
        version: product.version,
        created_at: product.created_at,
        updated_at: product.updated_at,
    };
    serde_dynamo::to_item(item).map_err(|error| PortError::new("writing a product item", error))
}

pub(super) fn read(item: HashMap<String, AttributeValue>) -> Result<Product, PortError> {
    let item: ProductItem =
        serde_dynamo::from_item(item).map_err(|error| PortError::new("reading a product item", error))?;
    Ok(Product {
        id: item.id,
        name: item.name,
        description: item.description,
        price: item.price,
        stock: item.stock,
        images: item.images.into_values().collect(),
        version: item.version,
        created_at: item.created_at,
        updated_at: item.updated_at,
    })
}

#[cfg(test)]
mod tests {
    use ferrite_domain::contract::product;

    use super::*;

    #[test]
    fn reads_texts_that_earlier_versions_stored() {
        let mut item = write(&product(3)).unwrap();
        for (name, description) in [("\u{200b}", "\u{2800}"), ("Tea\u{202e}", "\u{e0061}x"), ("Cafe\u{301}", "e\u{301}")] {
            item.insert("name".to_owned(), keys::string(name));
            item.insert("description".to_owned(), keys::string(description));
            let read = read(item.clone()).unwrap();
            assert_eq!(read.name.as_str(), name, "{}", name.escape_unicode());
            assert_eq!(read.description.unwrap().as_str(), description, "{}", name.escape_unicode());
        }
    }
}
