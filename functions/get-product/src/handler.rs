use ferrite_api::{ProductBody, image_bodies, is_fresh};
use ferrite_domain::ports::{Clock, GetProduct, SignImageUrl};
use ferrite_runtime::http::{Problem, Request, Response, no_content, path_id};
use http::StatusCode;

/// Shows a product with its images; 304 when the client holds it already.
pub(crate) async fn get_product(
    products: &impl GetProduct,
    links: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, Problem> {
    let product = products.get(path_id(&request, "productId")?).await?.ok_or_else(Problem::not_found)?;
    let images = image_bodies(&product, links, clock.now())?;
    let (response, tag) = ProductBody::new(product, images).answer(StatusCode::OK)?;
    if is_fresh(&request, &tag)? {
        let mut unchanged = tag.tag(no_content());
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(unchanged);
    }
    Ok(response)
}
