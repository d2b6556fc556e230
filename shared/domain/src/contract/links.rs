//! Signed links.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;

use super::now;
use crate::ports::{SignImageUrl, SignUpload};
use crate::{ContentType, ImageUpload, UploadSize, VariantName};

/// Tests of something that is [`SignUpload`] and [`SignImageUrl`].
#[macro_export]
macro_rules! links_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::links, $open,
            an_upload_is_bound_to_what_was_promised
            a_link_stays_the_same_and_leads_to_one_variant
        );
    };
}

pub async fn an_upload_is_bound_to_what_was_promised(links: &impl SignUpload) {
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

pub async fn a_link_stays_the_same_and_leads_to_one_variant(links: &impl SignImageUrl) {
    let (product, image) = (UniqueIds.new_id().into(), UniqueIds.new_id().into());
    let link = |variant| links.sign_image_url(product, image, variant, now()).unwrap();
    assert_eq!(link(VariantName::Display), link(VariantName::Display));
    assert_ne!(link(VariantName::Display), link(VariantName::Thumbnail));
}
