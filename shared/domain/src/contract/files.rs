//! Contract of the image file store.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use crate::ports::{ImageFiles, Upload};
use crate::{ContentType, ImageId, ProductId, UploadSize, VariantName};

/// [`ImageFiles`] to which a test can upload files and from which it can download variants, like a client.
pub trait ImageFileStoreUnderTest: ImageFiles {
    /// Uploads a file like a client.
    fn upload(
        &self,
        product: ProductId,
        image: ImageId,
        bytes: Vec<u8>,
        content_type: &str,
    ) -> impl Future<Output = ()> + Send;

    /// Downloads a variant like a client.
    fn fetch(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
    ) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

/// Generates the contract tests for an [`ImageFileStoreUnderTest`].
#[macro_export]
macro_rules! image_file_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::files, $adapter,
            returns_an_upload_with_its_media_type
            returns_an_upload_of_an_unsupported_type_without_a_media_type
            does_not_read_an_upload_that_is_too_large
            returns_none_without_an_upload
            replaces_an_existing_variant
        );
    };
}

fn ids() -> (ProductId, ImageId) {
    (UniqueIds.new_id().into(), UniqueIds.new_id().into())
}

pub async fn returns_an_upload_with_its_media_type(files: &impl ImageFileStoreUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, b"image".to_vec(), "image/webp").await;
    let found = files.read_upload(product, image).await.unwrap();
    assert_eq!(found, Some(Upload::File(b"image".to_vec(), Some(ContentType::WebP))));
}

pub async fn returns_an_upload_of_an_unsupported_type_without_a_media_type(files: &impl ImageFileStoreUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, b"<svg/>".to_vec(), "image/svg+xml").await;
    assert_eq!(files.read_upload(product, image).await.unwrap(), Some(Upload::File(b"<svg/>".to_vec(), None)));
}

pub async fn does_not_read_an_upload_that_is_too_large(files: &impl ImageFileStoreUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, vec![0; UploadSize::MAX as usize + 1], "image/png").await;
    assert_eq!(files.read_upload(product, image).await.unwrap(), Some(Upload::TooLarge));
}

pub async fn returns_none_without_an_upload(files: &impl ImageFileStoreUnderTest) {
    let (product, image) = ids();
    assert_eq!(files.read_upload(product, image).await.unwrap(), None);
}

pub async fn replaces_an_existing_variant(files: &impl ImageFileStoreUnderTest) {
    let (product, image) = ids();
    for jpeg in [b"one".to_vec(), b"two".to_vec()] {
        files.write_variant(product, image, VariantName::Display, jpeg).await.unwrap();
    }
    assert_eq!(files.fetch(product, image, VariantName::Display).await, Some(b"two".to_vec()));
    assert_eq!(files.fetch(product, image, VariantName::Thumbnail).await, None);
}
