//! What the rules need from the world, each as narrow as one function uses it.
//!
//! A handler names just the ports it calls, so its unit tests need an implementation of no more than those, and its
//! role needs no more permissions than theirs.

mod customers;
mod email;
mod images;
mod messages;
mod orders;
mod payment;
mod products;
mod reports;

use uuid::Uuid;

pub use crate::idempotency::{Attempt, Begun, Fingerprint, IdempotencyRecords, SavedAnswer};
pub use customers::{GetCustomer, PutCustomer};
pub use email::{SendEmail, SendEmailError};
pub use images::{AddImage, AddImageError, FinishImage, ImageFiles, SignImageUrl, SignUpload, SignedRequest, Upload};
pub use messages::{PublishEvents, WorkQueue};
pub use orders::{
    GetOrder, ListOrders, ListPaidOrders, ListPendingOrders, PlaceError, PlaceOrder, Placement, SaveTransition,
};
pub use payment::{PaymentError, TakePayment};
pub use products::{CreateProduct, DeleteProduct, GetProduct, GetProducts, ListProducts, UpdateError, UpdateProduct};
pub use reports::KeepReport;

use crate::Timestamp;

/// Whatever stands behind a port did not do what it was asked, through no fault of the request.
///
/// The cause is for the log; nothing of it is for a client.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct StoreError {
    /// What was being done, as an AWS action or a like name.
    pub operation: &'static str,
    /// Why it failed.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// `operation` failed because of `cause`.
    pub fn new(operation: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, cause: cause.into() }
    }
}

/// Tells the time.
pub trait Clock: Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Draws identifiers.
pub trait NewIds: Sync {
    /// A UUIDv7 that was never drawn before, and sorts after those drawn before it in the same process.
    fn new_id(&self) -> Uuid;
}
