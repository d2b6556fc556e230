//! JSON bodies for products.

use deserr::Deserr;
use ferrite_core::{Timestamp, ValueError, Version};
use ferrite_domain::{Description, Money, NewProduct, Product, ProductId, ProductName, ProductPatch, Stock};
use ferrite_runtime::http::{InvalidBody, Problem, Response, json, with_etag};
use http::StatusCode;
use serde::Serialize;

use crate::{ImageBodies, ImageBody, MoneyBody, ProductTag};

/// Data of a new product.
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

/// Fields of a product to change (RFC 7396, JSON Merge Patch). Omitted fields stay unchanged. A `description` of `null`
/// removes the description.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ProductPatch", deny_unknown_fields, extend("minProperties" = 1)))]
pub struct ProductPatchBody {
    #[deserr(default, try_from(String) = non_null -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default, with = "ProductName"))]
    name: Option<ProductName>,
    #[deserr(default, try_from(Option<String>) = nullable -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(default, with = "Option<Description>"))]
    description: Option<Option<Description>>,
    #[deserr(default, from(MoneyBody) = Some)]
    #[cfg_attr(feature = "schema", schemars(default, with = "MoneyBody"))]
    price: Option<MoneyBody>,
    #[deserr(default, try_from(u64) = non_null -> ValueError)]
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

fn non_null<V, T: TryFrom<V>>(value: V) -> Result<Option<T>, T::Error> {
    T::try_from(value).map(Some)
}

fn nullable<T: TryFrom<String>>(text: Option<String>) -> Result<Option<Option<T>>, T::Error> {
    optional(text).map(Some)
}

/// A product.
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
    // Returned units can raise the stock above `Stock::MAX`, so the schema has no such limit.
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
    /// Creates the body of `product` with the given `images`.
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

    /// Returns the HTTP response with the product and its `ETag` header, and the tag.
    ///
    /// # Errors
    /// Returns an error if the body cannot be serialized, which indicates a bug.
    pub fn to_response_and_tag(&self, status: StatusCode) -> Result<(Response, ProductTag), Problem> {
        let tag = ProductTag::new(self.version, self.links_as_of);
        Ok((with_etag(json(status, self)?, tag.as_str())?, tag))
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
    fn patch_distinguishes_omitted_and_null_fields() {
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
    fn accepts_a_null_description() {
        let body =
            serde_json::json!({"name": "Tea", "price": {"amount": 1, "currency": "EUR"}, "stock": 1, "description": null});
        let new: NewProduct = json_body::<NewProductBody>(&request(&body)).unwrap().into();
        assert_eq!(new.description, None);
    }
}
