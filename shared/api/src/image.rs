//! JSON bodies for images and uploads.

use std::collections::BTreeMap;

use deserr::Deserr;
use ferrite_core::ports::PortError;
use ferrite_core::{Reason, Timestamp, ValueError};
use ferrite_domain::ports::{SignImageUrl, SignedRequest};
use ferrite_domain::{
    ContentType, Image, ImageId, ImageState, ImageUpload, Product, ProductId, UploadSize, Variant, VariantName,
};
use ferrite_runtime::http::InvalidBody;
use serde::Serialize;

/// Media type and size of the file to upload.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ImageRequest", deny_unknown_fields, rename_all = "camelCase")
)]
pub struct ImageRequestBody {
    #[deserr(try_from(String) = ContentType::try_from -> ValueError)]
    content_type: ContentType,
    #[deserr(try_from(u64) = UploadSize::try_from -> ValueError)]
    size_bytes: UploadSize,
}

impl ImageRequestBody {
    /// Returns the requested upload.
    pub fn to_upload(&self, product: ProductId, image: ImageId) -> ImageUpload {
        ImageUpload { product, image, content_type: self.content_type, size: self.size_bytes }
    }
}

/// The new image and the request that uploads its file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Upload"))]
pub struct UploadBody {
    image_id: ImageId,
    upload: SignedRequestBody,
}

/// The request to send to upload the file. No token is needed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SignedRequest"))]
struct SignedRequestBody {
    method: &'static str,
    #[cfg_attr(feature = "schema", schemars(url))]
    url: String,
    headers: BTreeMap<&'static str, String>,
    expires_at: Timestamp,
}

impl UploadBody {
    /// Creates the body from the image's identifier and the presigned upload request.
    pub fn new(image_id: ImageId, request: SignedRequest) -> Self {
        let SignedRequest { method, url, headers, expires_at } = request;
        Self { image_id, upload: SignedRequestBody { method, url, headers: headers.into_iter().collect(), expires_at } }
    }
}

/// An image of a product. It has a `reason` if processing failed, and `variants` if it is ready.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Image"))]
pub struct ImageBody {
    id: ImageId,
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["pending", "ready", "failed"])))]
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "VariantsBody"))]
    variants: Option<VariantsBody>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Variants"))]
struct VariantsBody {
    thumbnail: VariantBody,
    display: VariantBody,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Variant"))]
struct VariantBody {
    #[cfg_attr(feature = "schema", schemars(url))]
    url: String,
    width: u32,
    height: u32,
}

/// A product's images, with links to those that are ready.
#[derive(Debug, Default)]
pub struct ImageBodies {
    pub(crate) bodies: Vec<ImageBody>,
    /// When the links were signed; `None` if there are none.
    pub(crate) links_as_of: Option<Timestamp>,
}

/// Returns the product's images, with links to those that are ready.
///
/// # Errors
/// Returns an error if a link cannot be signed.
pub fn image_bodies(product: &Product, links: &impl SignImageUrl, now: Timestamp) -> Result<ImageBodies, PortError> {
    let bodies: Vec<_> =
        product.images.iter().map(|image| image_body(product.id, image, links, now)).collect::<Result<_, _>>()?;
    let has_links = bodies.iter().any(|body| body.variants.is_some());
    Ok(ImageBodies { bodies, links_as_of: has_links.then(|| links.signed_as_of(now)) })
}

fn image_body(product: ProductId, image: &Image, links: &impl SignImageUrl, now: Timestamp) -> Result<ImageBody, PortError> {
    let variant = |name: VariantName, Variant { width, height }: Variant| {
        let url = links.sign_image_url(product, image.id, name, now)?;
        Ok::<_, PortError>(VariantBody { url, width, height })
    };
    let (state, reason, variants) = match &image.state {
        ImageState::Pending { .. } => ("pending", None, None),
        ImageState::Failed { reason } => ("failed", Some(reason.clone()), None),
        ImageState::Ready { variants } => {
            let thumbnail = variant(VariantName::Thumbnail, variants.thumbnail)?;
            let display = variant(VariantName::Display, variants.display)?;
            ("ready", None, Some(VariantsBody { thumbnail, display }))
        }
    };
    Ok(ImageBody { id: image.id, state, reason, variants })
}
