//! The JSON that clients send and get: camelCase, RFC 3339 times, and no `null` where a field can be left out.
//!
//! What comes in is parsed into the domain's types here, field by field; what goes out is written from them.

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

pub use customer::{CustomerBody, RegistrationBody};
pub use error::ApiError;
pub use etag::{ProductTag, expected_version};
pub use image::{ImageBodies, ImageBody, ImageRequestBody, UploadBody, image_bodies};
pub use money::MoneyBody;
pub use order::{OrderBody, PlaceOrderBody};
pub use page::{PageBody, page_request};
pub use product::{NewProductBody, ProductBody, ProductPatchBody};

/// The scope that makes its holder an admin.
pub const PRODUCTS_WRITE: &str = "products:write";
