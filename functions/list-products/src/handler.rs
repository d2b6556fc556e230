use ferrite_api::{ApiError, PageBody, ProductBody, image_bodies, page_request};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{ListProducts, SignImageUrl};
use ferrite_runtime::http::{Request, Response, json};
use http::StatusCode;

/// Lists products, newest first, a page at a time.
pub(crate) async fn list_products(
    products: &impl ListProducts,
    links: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let page = products.list(&page_request(&request)?).await?;
    let now = clock.now();
    let body = PageBody::new(page, |product| {
        let images = image_bodies(&product, links, now)?;
        Ok::<_, ApiError>(ProductBody::new(product, images))
    })?;
    Ok(json(StatusCode::OK, &body)?)
}
