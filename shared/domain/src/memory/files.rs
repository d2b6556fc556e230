//! In-memory uploads and image variants, and a signer that returns unsigned URLs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use crate::contract::files::ImageFileStoreUnderTest;
use crate::ports::{ImageFiles, SignImageUrl, SignUpload, SignedRequest, Upload};
use crate::{ContentType, ImageId, ImageUpload, ProductId, UploadSize, VariantName};

type VariantKey = (ProductId, ImageId, &'static str);

/// Uploads and variants, by product and image.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    uploads: Mutex<BTreeMap<(ProductId, ImageId), Upload>>,
    variants: Mutex<BTreeMap<VariantKey, Vec<u8>>>,
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl MemoryFiles {
    /// Adds an uploaded file.
    pub fn upload(&self, product: ProductId, image: ImageId, upload: Upload) {
        self.uploads.lock().unwrap().insert((product, image), upload);
    }

    /// Returns a stored variant.
    pub fn variant(&self, product: ProductId, image: ImageId, variant: VariantName) -> Option<Vec<u8>> {
        self.variants.lock().unwrap().get(&(product, image, variant.as_str())).cloned()
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl ImageFiles for MemoryFiles {
    async fn read_upload(&self, product: ProductId, image: ImageId) -> Result<Option<Upload>, PortError> {
        Ok(self.uploads.lock().unwrap().get(&(product, image)).cloned())
    }

    async fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> Result<(), PortError> {
        self.variants.lock().unwrap().insert((product, image, variant.as_str()), jpeg);
        Ok(())
    }
}

impl ImageFileStoreUnderTest for MemoryFiles {
    async fn upload(&self, product: ProductId, image: ImageId, bytes: Vec<u8>, content_type: &str) {
        let upload = if bytes.len() as u64 > UploadSize::MAX {
            Upload::TooLarge
        } else {
            Upload::File(bytes, ContentType::try_from(content_type.to_owned()).ok())
        };
        self.upload(product, image, upload);
    }

    async fn fetch(&self, product: ProductId, image: ImageId, variant: VariantName) -> Option<Vec<u8>> {
        self.variant(product, image, variant)
    }
}

/// Signer whose URLs contain the identifiers of the product and image, without a signature.
#[derive(Debug, Default)]
pub struct MemorySigner;

impl SignUpload for MemorySigner {
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, PortError> {
        Ok(SignedRequest {
            method: "PUT",
            url: format!("https://uploads.test/{}/{}", upload.product, upload.image),
            headers: vec![
                ("content-type", upload.content_type.as_str().to_owned()),
                ("content-length", upload.size.bytes().to_string()),
            ],
            expires_at: Timestamp::from_unix_millis(now.unix_millis() + 60_000),
        })
    }
}

impl SignImageUrl for MemorySigner {
    fn signed_as_of(&self, _: Timestamp) -> Timestamp {
        Timestamp::from_unix_millis(0)
    }

    fn sign_image_url(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        _now: Timestamp,
    ) -> Result<String, PortError> {
        Ok(format!("https://images.test/{product}/{image}/{}", variant.as_str()))
    }
}
