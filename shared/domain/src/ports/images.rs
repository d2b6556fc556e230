//! Ports for product images: their records, files, and signed links.

use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use crate::{ContentType, Image, ImageId, ImageState, ImageUpload, ProductId, VariantName};

/// Adds images to products.
pub trait AddImage: Sync {
    /// Adds a pending image to a product. If the product already has the maximum number of images, the new image
    /// replaces the oldest one that is abandoned ([`Image::is_abandoned`]) at the time of the request.
    fn add_image(&self, product: ProductId, image: &Image) -> impl Future<Output = Result<(), AddImageError>> + Send;
}

/// Reason that an image was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddImageError {
    /// The product does not exist.
    #[error("the product does not exist")]
    NotFound,
    /// The product has [`crate::MAX_IMAGES`] images, and none is abandoned.
    #[error("the product already has the maximum number of images")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Finishes the processing of an image.
pub trait FinishImage: Sync {
    /// Changes the state of a pending image to `state`. Returns `false` and changes nothing if the image is not pending
    /// or no longer exists.
    fn finish_image(
        &self,
        product: ProductId,
        image: ImageId,
        state: &ImageState,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// A presigned request that a client can send without credentials until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The HTTP method.
    pub method: &'static str,
    /// The URL to send the request to.
    pub url: String,
    /// The headers that the request must include unchanged.
    pub headers: Vec<(&'static str, String)>,
    /// When the request expires.
    pub expires_at: Timestamp,
}

/// Presigns uploads.
pub trait SignUpload: Sync {
    /// Returns a presigned request for `upload`. The file store rejects a file of another type or size.
    ///
    /// # Errors
    /// Returns an error if the request cannot be signed.
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, PortError>;
}

/// Signs links to images.
pub trait SignImageUrl: Sync {
    /// Returns the time since which links signed at `now` are unchanged. A client with links from before that time
    /// needs to fetch new ones.
    fn signed_as_of(&self, now: Timestamp) -> Timestamp;

    /// Returns a signed link to a variant, dated [`SignImageUrl::signed_as_of`]. The link is valid for at least an
    /// hour, unless the signing credentials expire earlier. A signer returns the same link during that time, so clients
    /// can cache the image.
    ///
    /// # Errors
    /// Returns an error if the link cannot be signed.
    fn sign_image_url(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        now: Timestamp,
    ) -> Result<String, PortError>;
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    /// The content of the file and its media type; `None` if the media type is not supported.
    File(Vec<u8>, Option<ContentType>),
    /// The file is larger than [`crate::UploadSize::MAX`] and was not read.
    TooLarge,
}

/// Reads uploads and stores image variants.
pub trait ImageFiles: Sync {
    /// Returns the uploaded file, or `None` if there is none.
    fn read_upload(
        &self,
        product: ProductId,
        image: ImageId,
    ) -> impl Future<Output = Result<Option<Upload>, PortError>> + Send;

    /// Stores a variant as JPEG and replaces an existing one.
    fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}
