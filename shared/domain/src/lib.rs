//! The storefront's entities, business rules, and ports. The crate does not depend on AWS or HTTP, and it takes the
//! time and new identifiers as arguments.
//!
//! Input is parsed once into the types in this crate ([`ProductName`], [`Money`], [`OrderId`], …), so the code behind
//! the edge does not validate it again. [`ports`] contains a narrow trait for each operation that the rules need from
//! the outside. `memory` implements every port in memory. `contract` contains the tests that each implementation must
//! pass, in memory and on AWS.

#[cfg(feature = "testing")]
pub mod contract;
mod customer;
mod email;
mod email_confirmation;
mod email_delivery;
mod email_feedback;
mod email_limit;
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

pub use customer::{ConfirmationOutcome, Customer, InvalidConfirmationToken, Registration, RegistrationOutcome};
pub use email::Email;
pub use email_confirmation::{ConfirmationRequest, ConfirmationToken, EmailConfirmation};
pub use email_delivery::EmailDelivery;
pub use email_feedback::{EmailFeedback, EmailStatus, FeedbackKind};
pub use email_limit::{EmailCounter, EmailLimit, EmailPurpose, InvalidEmailLimit};
pub use event::{
    CustomerRegistered, DomainEvent, EmailConfirmationRequested, OrderCancelled, OrderPaid, OrderPaymentFailed, OrderPlaced,
};
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
