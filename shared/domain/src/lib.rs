//! The storefront's entities, rules and ports: no AWS, no HTTP, no clock and no randomness of its own.
//!
//! Everything that comes from outside is parsed once into the types here ([`ProductName`], [`Money`], [`OrderId`] …), so
//! code behind the edge does not check it again. What the rules need from their surroundings is a narrow trait in
//! [`ports`]. `memory` implements every port in memory, and `contract` has the tests that each implementation, in memory or
//! on AWS, must pass.

#[cfg(feature = "testing")]
pub mod contract;
mod customer;
mod email_delivery;
mod event;
mod id;
mod image;
#[cfg(feature = "testing")]
pub mod memory;
mod money;
mod notification;
mod order;
mod payment;
pub mod ports;
mod product;
mod quantity;
mod sales;
#[cfg(feature = "schema")]
pub mod schema;
mod shard;
mod text;

pub use customer::{Customer, Email, Registered, Registration};
pub use email_delivery::EmailDelivery;
pub use event::{CustomerRegistered, DomainEvent, OrderCancelled, OrderPaid, OrderPaymentFailed, OrderPlaced};
pub use id::{CustomerId, ImageId, OrderId, ProductId};
pub use image::{
    ContentType, Image, ImageState, ImageUpload, MAX_IMAGES, UPLOAD_LIFETIME_SECONDS, UploadSize, Variant, VariantName,
    Variants,
};
pub use money::{Amount, Currency, Money};
pub use notification::{EmailMessage, Notification};
pub use order::{
    LineRequest, Order, OrderLine, OrderPosition, OrderStatus, PlacementRequest, PricingError, Transition, TransitionError,
};
pub use payment::{Charge, Payment, PaymentToken};
pub use product::{NewProduct, Product, ProductPatch};
pub use quantity::{Quantity, Stock};
pub use sales::{ProductSales, ReportError, ReportFile, SalesReport};
pub use shard::Shard;
pub use text::{CustomerName, Description, ProductName};
