//! The operations that the storefront needs from the outside. Each port is a trait for a single operation or a few
//! closely related ones.
//!
//! A handler takes only the ports that it calls. Its unit tests implement no others, and its IAM role needs only the
//! permissions for those operations. Ports that are independent of the storefront are in [`ferrite_core::ports`].

mod customers;
mod email;
mod images;
mod orders;
mod payment;
mod products;
mod reports;

pub use customers::{GetCustomer, PutCustomer, TooManyConflicts};
pub use email::{GetEmailFeedback, LimitEmails, Reservation, SaveEmailFeedback, SendEmail, SendEmailError};
pub use images::{AddImage, AddImageError, FinishImage, ImageFiles, SignImageUrl, SignUpload, SignedRequest, Upload};
pub use orders::{
    GetOrder, ListOrders, ListPaidOrders, ListPendingOrders, PlaceOrder, PlaceOrderError, Placement, SaveTransition,
};
pub use payment::{PaymentError, TakePayment};
pub use products::{CreateProduct, DeleteProduct, GetProduct, GetProducts, ListProducts, UpdateError, UpdateProduct};
pub use reports::SaveReport;

/// Result of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SaveResult {
    /// The change was saved.
    Saved,
    /// Nothing was changed, because a conflicting change was saved first.
    Conflict,
}
