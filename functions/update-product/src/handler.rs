use ferrite_api::{ApiError, PRODUCTS_WRITE, ProductBody, ProductPatchBody, expected_version, image_bodies};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{SignImageUrl, UpdateProduct};
use ferrite_domain::{ProductId, ProductPatch};
use ferrite_runtime::http::{Problem, Request, Response, caller, json_body, path_id};
use http::StatusCode;

/// Changes the fields that the body names: 200 with the product, 412 when it is not in the version of `If-Match`.
pub(crate) async fn update_product(
    products: &impl UpdateProduct,
    links: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    let id: ProductId = path_id(&request, "productId")?;
    let patch: ProductPatch = json_body::<ProductPatchBody>(&request)?.into();
    if patch.is_empty() {
        return Err(Problem::invalid(Vec::new()).detail("The body names no field to change.").into());
    }
    let now = clock.now();
    let product = products.update(id, &patch, expected_version(&request)?, now).await?;
    let images = image_bodies(&product, links, now)?;
    let (response, _) = ProductBody::new(product, images).answer(StatusCode::OK)?;
    Ok(response)
}
