//! Where uploads are read and variants are kept.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;

use crate::ports::{ImageFiles, Upload};
use crate::{ContentType, ImageId, ProductId, UploadSize, VariantName};

/// [`ImageFiles`] whose other end a test can reach: where clients upload, and where they fetch.
pub trait ImageFilesUnderTest: ImageFiles {
    /// Uploads a file as a client does.
    fn upload(
        &self,
        product: ProductId,
        image: ImageId,
        bytes: Vec<u8>,
        content_type: &str,
    ) -> impl Future<Output = ()> + Send;

    /// Fetches a variant as a client does.
    fn fetch(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
    ) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

/// Tests of an [`ImageFilesUnderTest`].
#[macro_export]
macro_rules! image_files_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::files, $open,
            an_upload_is_read_with_its_type
            an_upload_of_another_type_is_told_apart
            an_upload_that_is_too_large_is_not_read
            what_was_not_uploaded_is_not_there
            a_variant_takes_the_place_of_the_one_before
        );
    };
}

fn ids() -> (ProductId, ImageId) {
    (UniqueIds.new_id().into(), UniqueIds.new_id().into())
}

pub async fn an_upload_is_read_with_its_type(files: &impl ImageFilesUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, b"picture".to_vec(), "image/webp").await;
    let found = files.read_upload(product, image).await.unwrap();
    assert_eq!(found, Some(Upload::File(b"picture".to_vec(), Some(ContentType::WebP))));
}

pub async fn an_upload_of_another_type_is_told_apart(files: &impl ImageFilesUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, b"<svg/>".to_vec(), "image/svg+xml").await;
    assert_eq!(files.read_upload(product, image).await.unwrap(), Some(Upload::File(b"<svg/>".to_vec(), None)));
}

pub async fn an_upload_that_is_too_large_is_not_read(files: &impl ImageFilesUnderTest) {
    let (product, image) = ids();
    files.upload(product, image, vec![0; UploadSize::MAX as usize + 1], "image/png").await;
    assert_eq!(files.read_upload(product, image).await.unwrap(), Some(Upload::TooLarge));
}

pub async fn what_was_not_uploaded_is_not_there(files: &impl ImageFilesUnderTest) {
    let (product, image) = ids();
    assert_eq!(files.read_upload(product, image).await.unwrap(), None);
}

pub async fn a_variant_takes_the_place_of_the_one_before(files: &impl ImageFilesUnderTest) {
    let (product, image) = ids();
    for jpeg in [b"one".to_vec(), b"two".to_vec()] {
        files.write_variant(product, image, VariantName::Display, jpeg).await.unwrap();
    }
    assert_eq!(files.fetch(product, image, VariantName::Display).await, Some(b"two".to_vec()));
    assert_eq!(files.fetch(product, image, VariantName::Thumbnail).await, None);
}
