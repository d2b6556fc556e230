//! Request and response bodies of the HTTP API. JSON fields are in camelCase, times are in RFC 3339 format, and
//! optional response fields are omitted instead of `null`.
//!
//! Request bodies are parsed into the domain's types, field by field. Response bodies are created from the domain's
//! types.

mod customer;
mod error;
mod etag;
mod image;
mod money;
#[cfg(feature = "schema")]
pub mod openapi;
mod order;
mod page;
mod product;

pub use customer::{CustomerBody, EmailConfirmationBody, RegistrationBody};
pub use error::ApiError;
pub use etag::{ProductTag, expected_version};
pub use image::{ImageBodies, ImageBody, ImageRequestBody, UploadBody, image_bodies};
pub use money::MoneyBody;
pub use order::{OrderBody, PlaceOrderBody};
pub use page::{PageBody, page_request};
pub use product::{NewProductBody, ProductBody, ProductPatchBody};

/// OAuth scope that grants admin access.
pub const PRODUCTS_WRITE: &str = "products:write";
