//! The storefront's entities, rules and ports: no AWS, no HTTP, no clock, no randomness.
//!
//! Everything that comes from outside is parsed once into the types here ([`ProductName`], [`Money`], [`OrderId`] …),
//! so nothing behind the edge checks it again. What the rules need from the world they name as a narrow trait in
//! [`ports`]; `memory` implements every port in memory and `contract` holds the suite that each implementation,
//! in memory or on AWS, has to pass.

mod cause;
#[cfg(feature = "testing")]
pub mod contract;
mod event;
mod id;
mod idempotency;
mod image;
#[cfg(feature = "testing")]
pub mod memory;
mod money;
mod order;
mod page;
mod payment;
pub mod ports;
mod product;
mod quantity;
mod text;
mod time;
mod value;

pub use cause::{Cause, TraceParent, TraceParentError};
pub use event::{CloudEvent, DomainEvent, EventError, EventId, OrderPaid, OrderPaymentFailed, OrderPlaced};
pub use id::{CustomerId, ImageId, OrderId, ProductId};
pub use image::{
    ContentType, Image, ImageState, ImageUpload, MAX_IMAGES, UPLOAD_LIFETIME_SECONDS, UploadSize, Variant, VariantName,
    Variants,
};
pub use money::{Amount, Currency, Money};
pub use order::{LineRequest, Order, OrderLine, OrderStatus, PlaceRefusal, PlacementRequest, Transition, TransitionError};
pub use page::{Cursor, Page, PageLimit, PageRequest};
pub use payment::{Charge, Payment, PaymentToken};
pub use product::{NewProduct, Product, ProductPatch, Version};
pub use quantity::{Quantity, Stock};
pub use text::{CorrelationId, Description, IdempotencyKey, ProductName, Reason};
pub use time::Timestamp;
pub use value::ValueError;
