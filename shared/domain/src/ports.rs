//! What the rules need from the world, each as narrow as one function uses it.
//!
//! A handler names just the ports it calls, so its unit tests need an implementation of no more than those, and its
//! role needs no more permissions than theirs.

use std::collections::BTreeMap;
use std::future::Future;

use uuid::Uuid;

pub use crate::idempotency::{Attempt, Begun, Fingerprint, IdempotencyRecords, SavedAnswer};
use crate::{
    Cause, Charge, ContentType, CustomerId, IdempotencyKey, Image, ImageId, ImageState, ImageUpload, Order, OrderId, Page,
    PageRequest, Payment, Product, ProductId, ProductPatch, Timestamp, Transition, VariantName, Version,
};

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

/// Keeps new products.
pub trait CreateProduct: Sync {
    /// Keeps `product`, which has an identifier of its own.
    fn create(&self, product: &Product) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Looks a product up.
pub trait GetProduct: Sync {
    /// The product, as it was last committed.
    fn get(&self, id: ProductId) -> impl Future<Output = Result<Option<Product>, StoreError>> + Send;
}

/// Looks several products up at once.
pub trait GetProducts: Sync {
    /// Those of the products that exist.
    fn get_many(&self, ids: &[ProductId]) -> impl Future<Output = Result<BTreeMap<ProductId, Product>, StoreError>> + Send;
}

/// Lists products.
pub trait ListProducts: Sync {
    /// One page, newest first. A product that was just made may be missing for a moment.
    fn list(
        &self,
        page: &PageRequest<ProductId>,
    ) -> impl Future<Output = Result<Page<Product, ProductId>, StoreError>> + Send;
}

/// Changes products.
pub trait UpdateProduct: Sync {
    /// Changes the fields that `patch` names and answers the product after the change. With `expected`, nothing is
    /// changed unless the product is in that version.
    fn update(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        expected: Option<Version>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Product, UpdateError>> + Send;
}

/// Why a product was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// It is in another version than was expected.
    #[error("the product has changed")]
    VersionMismatch,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes products.
pub trait DeleteProduct: Sync {
    /// Deletes the product; `false` when there was none. Orders keep what they say of it.
    fn delete(&self, id: ProductId) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Adds images to products.
pub trait AddImage: Sync {
    /// Adds a pending image to a product. Where there is no room for it, it takes the place of the oldest image that is
    /// abandoned ([`Image::is_abandoned`]) when it is asked for.
    fn add_image(&self, product: ProductId, image: &Image) -> impl Future<Output = Result<(), AddImageError>> + Send;
}

/// Why an image was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddImageError {
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// The product has [`crate::MAX_IMAGES`] images, and none is abandoned.
    #[error("the product has as many images as it may have")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves an image on.
pub trait FinishImage: Sync {
    /// Takes a pending image to `state`, once: `false` when it is not pending (any more) or is gone with its product,
    /// and then nothing was changed.
    fn finish_image(
        &self,
        product: ProductId,
        image: ImageId,
        state: &ImageState,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// A request that a client may send by itself, without credentials, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The HTTP method.
    pub method: &'static str,
    /// Where to send it.
    pub url: String,
    /// The headers it has to carry, as they stand here.
    pub headers: Vec<(&'static str, String)>,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

/// Signs uploads.
pub trait SignUpload: Sync {
    /// A request that uploads just what `upload` says: the store itself refuses another type or size.
    ///
    /// # Errors
    /// The signature could not be made.
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, StoreError>;
}

/// Signs links to images.
pub trait SignImageUrl: Sync {
    /// Since when links that are signed at `now` are what they are: a client that got its links before then needs new ones.
    fn signed_as_of(&self, now: Timestamp) -> Timestamp;

    /// A link to a variant, as of [`SignImageUrl::signed_as_of`]: it works for at least an hour, if the credentials that
    /// sign it do, and one signer makes the same link for as long, so that clients can keep what it leads to.
    ///
    /// # Errors
    /// The signature could not be made.
    fn sign_image_url(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        now: Timestamp,
    ) -> Result<String, StoreError>;
}

/// What an admin uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    /// A file, and the type it was uploaded as; `None` for one that is not accepted.
    File(Vec<u8>, Option<ContentType>),
    /// More bytes than [`crate::UploadSize::MAX`], which were not read.
    TooLarge,
}

/// Where uploads are read and variants are kept.
pub trait ImageFiles: Sync {
    /// What was uploaded, or `None` when there is nothing (any more).
    fn read_upload(
        &self,
        product: ProductId,
        image: ImageId,
    ) -> impl Future<Output = Result<Option<Upload>, StoreError>> + Send;

    /// Keeps a variant (JPEG), in place of the one before if there was one.
    fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An order to be placed, and the answer to be given to its request from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The order.
    pub order: Order,
    /// The request's idempotency key. Keys of different customers have nothing to do with each other.
    pub key: IdempotencyKey,
    /// The answer.
    pub saved: SavedAnswer,
    /// When the key may be used for another request.
    pub key_expires_at: Timestamp,
    /// The request, for whoever learns of the order.
    pub cause: Cause,
}

/// Places orders.
pub trait PlaceOrder: Sync {
    /// The answer that this customer's request with this key got, if it got one that has not expired at `now`.
    fn find_answer(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<SavedAnswer>, StoreError>> + Send;

    /// Takes the stock, keeps the order and saves the answer: all of it or nothing.
    fn place(&self, placement: &Placement) -> impl Future<Output = Result<(), PlaceError>> + Send;
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A request with this key got its answer in the meantime.
    #[error("the idempotency key has an answer")]
    Answered(SavedAnswer),
    /// Not as many pieces left as are asked for.
    #[error("not enough pieces are left")]
    OutOfStock {
        /// The products that are short.
        products: Vec<ProductId>,
    },
    /// A product was deleted or got another price after the order was priced.
    #[error("a product changed while the order was placed")]
    ProductsChanged,
    /// Another request with this key was being carried out all the while.
    #[error("a request with this idempotency key is being carried out")]
    KeyInFlight,
    /// Other requests were changing the same products all the while.
    #[error("too many requests for the same products at once")]
    Contention,
    /// The store failed. Whether the order was placed may not be known; the same request with the same key tells.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks a customer's order up.
pub trait GetOrder: Sync {
    /// The customer's order; `None` when there is none, or it is another customer's.
    fn get(&self, customer: &CustomerId, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;
}

/// Lists a customer's orders.
pub trait ListOrders: Sync {
    /// One page, newest first.
    fn list(
        &self,
        customer: &CustomerId,
        page: &PageRequest<OrderId>,
    ) -> impl Future<Output = Result<Page<Order, OrderId>, StoreError>> + Send;
}

/// Moves an order on.
pub trait SaveTransition: Sync {
    /// Keeps the order as it is after `transition`, which `cause` set off, and puts returned stock back, all of it or
    /// nothing; `false` when the order no longer is as it was before, and then nothing was changed.
    fn save(&self, transition: &Transition, cause: &Cause) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Takes payment.
pub trait TakePayment: Sync {
    /// Charges once for each order and answers what was decided, however often it is called.
    fn charge(&self, charge: &Charge) -> impl Future<Output = Result<Payment, PaymentError>> + Send;
}

/// Why it is not known what the gateway decided. To call again with the same order is safe.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No answer in time.
    #[error("the payment gateway did not answer in time")]
    Timeout,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] StoreError),
}

/// Tells events to whoever listens.
pub trait PublishEvents: Sync {
    /// Publishes every event. Events may be published again after a failure; consumers know them by their `id`.
    ///
    /// # Errors
    /// At least one was not published.
    fn publish(&self, events: &[crate::CloudEvent]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The queue that a consumer's messages come from, and the one beside it for those that cannot be handled.
pub trait WorkQueue: Sync {
    /// Puts what cannot ever be handled, as it arrived, into the dead-letter queue with the reason, made to fit as
    /// [`crate::Reason::from_lossy`] does.
    fn reject(&self, body: &str, reason: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Has the message of this receipt handle delivered again after `seconds` (at most 43,200) and not before.
    fn delay(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), StoreError>> + Send;
}
