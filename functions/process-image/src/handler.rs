use std::panic::catch_unwind;

use ferrite_core::Reason;
use ferrite_core::ports::{Clock, PortError};
use ferrite_domain::ports::{FinishImage, ImageFiles, Upload};
use ferrite_domain::{ContentType, ImageState, UploadSize, Variant, VariantName, Variants};
use ferrite_images::{Format, Rejection, make_variants};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::s3::Object;
use ferrite_runtime::{Failure, log};
use ferrite_store::UploadKey;
use serde_json::json;
use tracing::{Instrument, info_span};

const IMAGES_PROCESSED: Metric = Metric::new("ImagesProcessed", Unit::Count);
const IMAGES_FAILED: Metric = Metric::new("ImagesFailed", Unit::Count);

/// Creates the variants of an upload, or marks its image as failed with the reason.
///
/// It is safe to repeat after a crash or a duplicate notification: the same upload produces the same variants under the
/// same keys, and an image leaves `pending` only once. A defective file results in a failed image, not in an error of
/// this function.
///
/// # Errors
/// Rejects the event if the object is not an upload. Returns a retryable failure if the upload could not be read, a
/// variant could not be written, or the state could not be stored.
pub(crate) async fn process_image(
    products: &impl FinishImage,
    files: &impl ImageFiles,
    clock: &impl Clock,
    object: Object,
) -> Result<(), Failure> {
    let upload =
        UploadKey::parse(&object.key).ok_or_else(|| Failure::reject("the object key is not the key of an upload"))?;
    let state = process(files, upload).instrument(info_span!("process_image")).await?;
    let (state_text, metric) = match &state {
        ImageState::Failed { reason } => (format!("failed: {reason}"), IMAGES_FAILED),
        _ => ("ready".to_owned(), IMAGES_PROCESSED),
    };
    if products.finish_image(upload.product, upload.image, &state, clock.now()).await? {
        metrics::count(metric);
    }
    log::append_to_list("images", json!({ "image_id": upload.image, "state": state_text }));
    Ok(())
}

async fn process(files: &impl ImageFiles, UploadKey { product, image }: UploadKey) -> Result<ImageState, PortError> {
    let result = match files.read_upload(product, image).await? {
        Some(Upload::File(bytes, Some(content_type))) => create_variants(&bytes, content_type),
        Some(Upload::File(_, None)) => Err("The file was not uploaded as image/jpeg, image/png, or image/webp.".to_owned()),
        Some(Upload::TooLarge) => Err(format!("The file is larger than {} bytes.", UploadSize::MAX)),
        None => Err("The file was deleted before it was processed.".to_owned()),
    };
    let ferrite_images::Variants { thumbnail, display } = match result {
        Ok(variants) => variants,
        Err(reason) => return Ok(ImageState::Failed { reason: Reason::from_lossy(&reason) }),
    };
    let size = |variant: &ferrite_images::Variant| Variant { width: variant.width, height: variant.height };
    let variants = Variants { thumbnail: size(&thumbnail), display: size(&display) };
    files.write_variant(product, image, VariantName::Thumbnail, thumbnail.bytes).await?;
    files.write_variant(product, image, VariantName::Display, display.bytes).await?;
    Ok(ImageState::Ready { variants })
}

/// Creates the variants, or returns the reason why the file was rejected.
///
/// A file that makes a decoder panic is rejected too: a retry would panic again.
fn create_variants(bytes: &[u8], content_type: ContentType) -> Result<ferrite_images::Variants, String> {
    let format = match content_type {
        ContentType::Jpeg => Format::Jpeg,
        ContentType::Png => Format::Png,
        ContentType::WebP => Format::WebP,
    };
    match catch_unwind(|| make_variants(bytes, format)) {
        Ok(Ok(variants)) => Ok(variants),
        Ok(Err(rejection)) => {
            match &rejection {
                Rejection::Corrupt { detail } | Rejection::Unsupported { detail } => {
                    log::append_key("decoder", detail.as_str());
                }
                Rejection::Polyglot { other } => log::append_key("polyglot", *other),
                _ => {}
            }
            Err(rejection.to_string())
        }
        Err(_) => Err("The file is damaged and cannot be decoded. Save the image again and upload the new file.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::{MemoryFiles, MemoryStore};
    use ferrite_domain::ports::{AddImage, CreateProduct, GetProduct};
    use ferrite_domain::{Image, Product, contract};

    use super::*;

    /// A store with a product that has a pending image.
    async fn store_with_pending_image() -> (MemoryStore, Product, Image) {
        let store = MemoryStore::default();
        let product = contract::product(1);
        let image = contract::image();
        store.create(&product).await.unwrap();
        store.add_image(product.id, &image).await.unwrap();
        (store, product, image)
    }

    fn object(key: &str) -> Object {
        Object::new("images", key, None)
    }

    /// Processes `upload` twice and returns the final state of the image.
    async fn process_twice(upload: Option<Upload>) -> (ImageState, MemoryFiles, Product, Image) {
        let (store, product, image) = store_with_pending_image().await;
        let files = MemoryFiles::default();
        if let Some(upload) = upload {
            files.upload(product.id, image.id, upload);
        }
        let key = format!("uploads/{}/{}", product.id, image.id);
        for _ in 0..2 {
            let clock = FixedClock(contract::now());
            process_image(&store, &files, &clock, object(&key)).await.unwrap();
        }
        let after = store.get(product.id).await.unwrap().unwrap();
        assert_eq!(after.version.get(), 3, "expected three changes: product created, image added, image finished");
        (after.images[0].state.clone(), files, product, image)
    }

    #[tokio::test]
    async fn creates_two_variants_of_an_upload() {
        let photo = include_bytes!("../../../tests/photos/coffee.jpg").to_vec();
        let (state, files, product, image) = process_twice(Some(Upload::File(photo, Some(ContentType::Jpeg)))).await;
        assert!(matches!(state, ImageState::Ready { .. }), "{state:?}");
        for variant in [VariantName::Thumbnail, VariantName::Display] {
            assert!(files.variant(product.id, image.id, variant).is_some_and(|jpeg| jpeg.starts_with(b"\xff\xd8")));
        }
    }

    #[tokio::test]
    async fn marks_an_unusable_upload_as_failed_with_the_reason() {
        let text = || b"just text".to_vec();
        for (upload, expected) in [
            (Some(Upload::File(text(), Some(ContentType::Png))), "not an image"),
            (Some(Upload::File(text(), None)), "not uploaded as"),
            (Some(Upload::TooLarge), "larger than"),
            (None, "deleted"),
        ] {
            let (state, ..) = process_twice(upload).await;
            assert!(matches!(&state, ImageState::Failed { reason } if reason.as_str().contains(expected)), "{state:?}");
        }
    }

    #[tokio::test]
    async fn rejects_objects_that_are_not_uploads() {
        let (store, ..) = store_with_pending_image().await;
        let clock = FixedClock(contract::now());
        let result = process_image(&store, &MemoryFiles::default(), &clock, object("uploads/cat.jpg")).await;
        assert!(matches!(result, Err(Failure::Reject(_))), "{result:?}");
    }
}
