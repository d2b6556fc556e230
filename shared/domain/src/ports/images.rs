//! Images: in their product, as files, and as links to those.

use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use crate::{ContentType, Image, ImageId, ImageState, ImageUpload, ProductId, VariantName};

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
    Store(#[from] PortError),
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
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
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
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, PortError>;
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
    ) -> Result<String, PortError>;
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
    ) -> impl Future<Output = Result<Option<Upload>, PortError>> + Send;

    /// Keeps a variant (JPEG), in place of the one before if there was one.
    fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}
