//! Images of products, from the asked-for upload to the finished variants.

use ferrite_core::{Reason, Timestamp, ValueError};
use serde::{Deserialize, Serialize};

use crate::{ImageId, ProductId};

/// The most images one product has. With it a page of 100 products, each of whose images has two signed links of up to
/// 1.5 KB, stays below the 6 MB that Lambda lets a function answer.
pub const MAX_IMAGES: usize = 10;

/// How long an upload can be sent after it was asked for, in seconds.
pub const UPLOAD_LIFETIME_SECONDS: i64 = 15 * 60;

/// What an upload is, by its media type.
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
    /// The media type as it stands in a `Content-Type` header.
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

/// How large an upload is, in bytes: 1 to 10 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UploadSize(u64);

impl UploadSize {
    /// The most bytes an upload may have.
    pub const MAX: u64 = 10 * 1024 * 1024;

    /// The number of bytes.
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

/// An upload that an admin asked for and that has a place waiting for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUpload {
    /// The product that the image will belong to.
    pub product: ProductId,
    /// The image.
    pub image: ImageId,
    /// What will be uploaded.
    pub content_type: ContentType,
    /// How large it will be.
    pub size: UploadSize,
}

/// Which of the two sizes an image is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariantName {
    /// For lists.
    Thumbnail,
    /// For the product's own page.
    Display,
}

impl VariantName {
    /// The name in keys and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Display => "display",
        }
    }
}

/// One size of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// Both sizes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variants {
    /// For lists.
    pub thumbnail: Variant,
    /// For the product's own page.
    pub display: Variant,
}

/// How far an image has come. It leaves `Pending` once, and nothing leads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ImageState {
    /// Waiting for its upload, or uploaded and not looked at yet.
    Pending {
        /// What the upload was promised to be.
        #[serde(rename = "contentType")]
        content_type: ContentType,
    },
    /// Its variants can be fetched.
    Ready {
        /// The sizes of the variants.
        variants: Variants,
    },
    /// The upload could not be used.
    Failed {
        /// Why, for the admin who uploaded it.
        reason: Reason,
    },
}

/// An image of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The image's identifier.
    pub id: ImageId,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ImageState,
    /// When it was asked for.
    #[serde(rename = "requestedAt")]
    pub requested_at: Timestamp,
}

impl Image {
    /// Whether nothing will ever come of it: it failed, or its upload did not come in time.
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        match self.state {
            ImageState::Pending { .. } => now.unix_seconds() - self.requested_at.unix_seconds() > UPLOAD_LIFETIME_SECONDS,
            ImageState::Failed { .. } => true,
            ImageState::Ready { .. } => false,
        }
    }
}
