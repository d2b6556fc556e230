//! The storefront's entities, rules and ports: no AWS, no HTTP, no clock, no randomness.
//!
//! Everything that comes from outside is parsed once into the types here ([`ProductName`], [`Money`], [`OrderId`] …),
//! so nothing behind the edge checks it again. What the rules need from the world they name as a narrow trait in
//! [`ports`]; `memory` implements every port in memory and `contract` holds the suite that each implementation,
//! in memory or on AWS, has to pass.

mod cause;
#[cfg(feature = "testing")]
pub mod contract;
mod customer;
mod event;
mod id;
mod idempotency;
mod image;
#[cfg(feature = "testing")]
pub mod memory;
mod money;
mod notification;
mod order;
mod page;
mod payment;
pub mod ports;
mod product;
mod quantity;
mod sales;
#[cfg(feature = "schema")]
pub mod schema;
mod sending;
mod shard;
mod text;
mod time;
mod value;

pub use cause::{Cause, TraceParent, TraceParentError};
pub use customer::{Customer, Email, Registered, Registration};
pub use event::{
    CloudEvent, CustomerRegistered, DomainEvent, EventError, EventId, OrderCancelled, OrderPaid, OrderPaymentFailed,
    OrderPlaced,
};
pub use id::{CustomerId, ImageId, OrderId, ProductId};
pub use image::{
    ContentType, Image, ImageState, ImageUpload, MAX_IMAGES, UPLOAD_LIFETIME_SECONDS, UploadSize, Variant, VariantName,
    Variants,
};
pub use money::{Amount, Currency, Money};
pub use notification::{EmailMessage, Notification};
pub use order::{
    LineRequest, Order, OrderLine, OrderPosition, OrderStatus, PlaceRefusal, PlacementRequest, Transition, TransitionError,
};
pub use page::{Cursor, Page, PageLimit, PageRequest};
pub use payment::{Charge, Payment, PaymentToken};
pub use product::{NewProduct, Product, ProductPatch, Version};
pub use quantity::{Quantity, Stock};
pub use sales::{ProductSales, ReportError, ReportFile, SalesReport};
pub use sending::Sending;
pub use shard::Shard;
pub use text::{CorrelationId, CustomerName, Description, IdempotencyKey, ProductName, Reason};
pub use time::{Day, Timestamp};
pub use value::ValueError;
