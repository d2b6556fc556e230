//! What the storefront's rules need from their surroundings, each port as narrow as one use of it.
//!
//! A handler names only the ports that it calls. Its unit tests then implement no more than those, and its role needs no
//! more permissions than theirs. The ports that are not about the storefront are in [`ferrite_core::ports`].

mod customers;
mod email;
mod images;
mod orders;
mod payment;
mod products;
mod reports;

pub use customers::{GetCustomer, PutCustomer};
pub use email::{SendEmail, SendEmailError};
pub use images::{AddImage, AddImageError, FinishImage, ImageFiles, SignImageUrl, SignUpload, SignedRequest, Upload};
pub use orders::{
    GetOrder, ListOrders, ListPaidOrders, ListPendingOrders, PlaceOrder, PlaceOrderError, Placement, SaveTransition,
};
pub use payment::{PaymentError, TakePayment};
pub use products::{CreateProduct, DeleteProduct, GetProduct, GetProducts, ListProducts, UpdateError, UpdateProduct};
pub use reports::KeepReport;
