//! Product images, from the requested upload to the finished variants.

use ferrite_core::{Reason, Timestamp, ValueError};
use serde::{Deserialize, Serialize};

use crate::{ImageId, ProductId};

/// Maximum number of images of one product.
///
/// Each image in a response has two signed links of up to 1.5 KB each. With this limit, a page of 100 products stays
/// below the 6 MB that Lambda allows for a response payload.
pub const MAX_IMAGES: usize = 10;

/// Time in seconds after the request in which an upload is accepted.
pub const UPLOAD_LIFETIME_SECONDS: i64 = 15 * 60;

/// Media type of an uploaded image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ContentType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    WebP,
}

impl ContentType {
    /// Returns the media type as it is written in a `Content-Type` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }
}

impl TryFrom<String> for ContentType {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        match text.as_str() {
            "image/jpeg" => Ok(Self::Jpeg),
            "image/png" => Ok(Self::Png),
            "image/webp" => Ok(Self::WebP),
            _ => Err(ValueError::NotOneOf { allowed: "image/jpeg, image/png, image/webp" }),
        }
    }
}

impl From<ContentType> for String {
    fn from(content_type: ContentType) -> Self {
        content_type.as_str().to_owned()
    }
}

/// Size of an upload in bytes: 1 byte to 25 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UploadSize(u64);

impl UploadSize {
    /// Largest size of an upload in bytes.
    pub const MAX: u64 = 25 * 1024 * 1024;

    /// Returns the number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for UploadSize {
    type Error = ValueError;

    fn try_from(bytes: u64) -> Result<Self, ValueError> {
        if (1..=Self::MAX).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(ValueError::OutOfRange { min: 1, max: Self::MAX })
        }
    }
}

/// An upload that an admin requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUpload {
    /// The product that the image will belong to.
    pub product: ProductId,
    /// The image that the upload creates.
    pub image: ImageId,
    /// Media type of the file.
    pub content_type: ContentType,
    /// Size of the file.
    pub size: UploadSize,
}

/// Name of one of the two sizes in which an image is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariantName {
    /// Small size for lists.
    Thumbnail,
    /// Large size for the product page.
    Display,
}

impl VariantName {
    /// Returns the name as it is written in object keys and API responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Display => "display",
        }
    }
}

/// Dimensions of one variant of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Dimensions of both variants of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variants {
    /// Small size for lists.
    pub thumbnail: Variant,
    /// Large size for the product page.
    pub display: Variant,
}

/// Processing state of an image. An image leaves `Pending` once and never returns to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ImageState {
    /// The file is not uploaded or not processed yet.
    Pending {
        /// Media type that the upload must have.
        #[serde(rename = "contentType")]
        content_type: ContentType,
    },
    /// The variants are available.
    Ready {
        /// Dimensions of the variants.
        variants: Variants,
    },
    /// The uploaded file could not be processed.
    Failed {
        /// The reason, shown to the admin.
        reason: Reason,
    },
}

/// An image of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The image's identifier.
    pub id: ImageId,
    /// The processing state.
    #[serde(flatten)]
    pub state: ImageState,
    /// When the upload was requested.
    #[serde(rename = "requestedAt")]
    pub requested_at: Timestamp,
}

impl Image {
    /// Returns whether the image can no longer become ready: it failed, or its upload did not arrive in time.
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        match self.state {
            ImageState::Pending { .. } => now.unix_seconds() - self.requested_at.unix_seconds() > UPLOAD_LIFETIME_SECONDS,
            ImageState::Failed { .. } => true,
            ImageState::Ready { .. } => false,
        }
    }
}
