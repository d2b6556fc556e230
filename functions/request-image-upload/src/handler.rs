use ferrite_api::{ApiError, ImageRequestBody, PRODUCTS_WRITE, UploadBody};
use ferrite_core::ports::{Clock, NewIds};
use ferrite_domain::ports::{AddImage, SignUpload};
use ferrite_domain::{Image, ImageState, ProductId};
use ferrite_runtime::http::{Request, Response, caller, json, json_body, path_id};
use http::StatusCode;

/// Adds a pending image to a product and answers how to upload its file: 201 with a signed request that S3 accepts for
/// just the type and size that were asked for.
pub(crate) async fn request_image_upload(
    products: &impl AddImage,
    uploads: &impl SignUpload,
    ids: &impl NewIds,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    let product: ProductId = path_id(&request, "productId")?;
    let now = clock.now();
    let upload = json_body::<ImageRequestBody>(&request)?.upload(product, ids.new_id().into());
    let signed = uploads.sign_upload(&upload, now)?;

    let state = ImageState::Pending { content_type: upload.content_type };
    products.add_image(product, &Image { id: upload.image, state, requested_at: now }).await?;
    Ok(json(StatusCode::CREATED, &UploadBody::new(upload.image, signed))?)
}
