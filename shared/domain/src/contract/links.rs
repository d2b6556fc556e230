//! Contract of the signer of uploads and image links.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use super::now;
use crate::ports::{SignImageUrl, SignUpload};
use crate::{ContentType, ImageUpload, UploadSize, VariantName};

/// Generates the contract tests for a type that implements [`SignUpload`] and [`SignImageUrl`].
#[macro_export]
macro_rules! image_link_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::links, $adapter,
            restricts_an_upload_to_its_type_and_size
            returns_the_same_link_for_the_same_variant
        );
    };
}

pub async fn restricts_an_upload_to_its_type_and_size(links: &impl SignUpload) {
    let upload = |content_type, size| ImageUpload {
        product: UniqueIds.new_id().into(),
        image: UniqueIds.new_id().into(),
        content_type,
        size: UploadSize::try_from(size).unwrap(),
    };
    let one = links.sign_upload(&upload(ContentType::Png, 2048), now()).unwrap();
    assert_eq!(one.method, "PUT");
    assert!(one.headers.contains(&("content-type", "image/png".to_owned())));
    assert!(one.headers.contains(&("content-length", "2048".to_owned())));
    assert!(one.expires_at > now());
    assert_ne!(one.url, links.sign_upload(&upload(ContentType::Png, 2048), now()).unwrap().url);
}

pub async fn returns_the_same_link_for_the_same_variant(links: &impl SignImageUrl) {
    let product = UniqueIds.new_id().into();
    let image = UniqueIds.new_id().into();
    let link = |variant| links.sign_image_url(product, image, variant, now()).unwrap();
    assert_eq!(link(VariantName::Display), link(VariantName::Display));
    assert_ne!(link(VariantName::Display), link(VariantName::Thumbnail));
}
