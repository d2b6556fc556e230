//! Products in JSON.

use deserr::Deserr;
use ferrite_core::{Timestamp, ValueError, Version};
use ferrite_domain::{Description, Money, NewProduct, Product, ProductId, ProductName, ProductPatch, Stock};
use ferrite_runtime::http::{InvalidBody, Problem, Response, json, tagged};
use http::StatusCode;
use serde::Serialize;

use crate::{ImageBodies, ImageBody, MoneyBody, ProductTag};

/// `{"name", "description"?, "price", "stock"}`: what a product is made from.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NewProduct", deny_unknown_fields))]
pub struct NewProductBody {
    #[deserr(try_from(String) = ProductName::try_from -> ValueError)]
    name: ProductName,
    #[deserr(default, try_from(Option<String>) = optional -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default))]
    description: Option<Description>,
    price: MoneyBody,
    #[deserr(try_from(u64) = Stock::try_from -> ValueError)]
    stock: Stock,
}

impl From<NewProductBody> for NewProduct {
    fn from(body: NewProductBody) -> Self {
        Self { name: body.name, description: body.description, price: body.price.into(), stock: body.stock }
    }
}

/// Any of a product's fields (RFC 7396, JSON Merge Patch): what is left out stays, and a `description` of `null` goes.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ProductPatch", deny_unknown_fields, extend("minProperties" = 1)))]
pub struct ProductPatchBody {
    #[deserr(default, try_from(String) = given -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default, with = "ProductName"))]
    name: Option<ProductName>,
    #[deserr(default, try_from(Option<String>) = given_or_null -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default, with = "Option<Description>"))]
    description: Option<Option<Description>>,
    #[deserr(default, from(MoneyBody) = Some)]
    #[cfg_attr(feature = "schema", schemars(default, with = "MoneyBody"))]
    price: Option<MoneyBody>,
    #[deserr(default, try_from(u64) = given -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default, with = "Stock"))]
    stock: Option<Stock>,
}

impl From<ProductPatchBody> for ProductPatch {
    fn from(body: ProductPatchBody) -> Self {
        Self { name: body.name, description: body.description, price: body.price.map(Money::from), stock: body.stock }
    }
}

fn optional<T: TryFrom<String>>(text: Option<String>) -> Result<Option<T>, T::Error> {
    text.map(T::try_from).transpose()
}

fn given<V, T: TryFrom<V>>(value: V) -> Result<Option<T>, T::Error> {
    T::try_from(value).map(Some)
}

fn given_or_null<T: TryFrom<String>>(text: Option<String>) -> Result<Option<Option<T>>, T::Error> {
    optional(text).map(Some)
}

/// A product as clients see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Product"))]
pub struct ProductBody {
    id: ProductId,
    name: ProductName,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Description"))]
    description: Option<Description>,
    price: Money,
    // Pieces that come back may take it past what it can be set to.
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    stock: Stock,
    images: Vec<ImageBody>,
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip)]
    links_as_of: Option<Timestamp>,
}

impl ProductBody {
    /// `product`, with `images` in place of its own.
    pub fn new(product: Product, images: ImageBodies) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            price: product.price,
            stock: product.stock,
            images: images.bodies,
            links_as_of: images.links_as_of,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }

    /// The answer that shows it, with its tag.
    ///
    /// # Errors
    /// It cannot be written as JSON, which is a mistake in this program.
    pub fn answer(&self, status: StatusCode) -> Result<(Response, ProductTag), Problem> {
        let tag = ProductTag::new(self.version, self.links_as_of);
        Ok((tagged(json(status, self)?, tag.as_str())?, tag))
    }
}

#[cfg(test)]
mod tests {
    use ferrite_runtime::http::{Request, json_body};

    use super::*;

    fn request(body: &serde_json::Value) -> Request {
        http::Request::builder().header("content-type", "application/json").body(body.to_string().into()).unwrap()
    }

    #[test]
    fn a_patch_tells_what_is_left_out_from_what_is_to_go() {
        let patch = |body| json_body::<ProductPatchBody>(&request(&body)).map(ProductPatch::from);
        assert!(patch(serde_json::json!({})).unwrap().is_empty());
        assert_eq!(patch(serde_json::json!({"description": null})).unwrap().description, Some(None));
        assert_eq!(patch(serde_json::json!({"stock": 4})).unwrap().stock.unwrap().get(), 4);
        let invalid = patch(serde_json::json!({"name": null, "price": {"amount": -1, "currency": "X"}})).unwrap_err();
        let mut fields: Vec<_> = invalid.errors().iter().map(|error| error.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["name", "price.amount", "price.currency"]);
    }

    #[test]
    fn a_description_may_be_left_out_or_null() {
        let body =
            serde_json::json!({"name": "Tea", "price": {"amount": 1, "currency": "EUR"}, "stock": 1, "description": null});
        let new: NewProduct = json_body::<NewProductBody>(&request(&body)).unwrap().into();
        assert_eq!(new.description, None);
    }
}
