use ferrite_api::{ApiError, ProductBody, image_bodies};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{GetProduct, SignImageUrl};
use ferrite_runtime::http::{Problem, Request, Response, not_modified, path_id};
use http::StatusCode;

/// Shows a product with its images; 304 when the client holds it already.
pub(crate) async fn get_product(
    products: &impl GetProduct,
    links: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let product = products.get(path_id(&request, "productId")?).await?.ok_or_else(Problem::not_found)?;
    let images = image_bodies(&product, links, clock.now())?;
    let (response, tag) = ProductBody::new(product, images).answer(StatusCode::OK)?;
    not_modified(&request, tag.as_str())?.map_or(Ok(response), Ok)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::contract;
    use ferrite_domain::memory::{MemorySigner, MemoryStore};
    use ferrite_domain::ports::CreateProduct;
    use ferrite_runtime::http::testing::{TestRequest, request};

    use super::*;

    #[tokio::test]
    async fn a_client_that_names_the_tag_gets_no_body() {
        let (store, product) = (MemoryStore::default(), contract::product(3));
        store.create(&product).await.unwrap();
        let get = async |tag: &str| {
            let request = request(http::Method::GET).path_parameter("productId", product.id).header("if-none-match", tag);
            get_product(&store, &MemorySigner, &FixedClock(contract::now()), request).await.unwrap()
        };
        let first = get("").await;
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()["etag"].to_str().unwrap();
        let second = get(tag).await;
        assert_eq!((second.status(), second.headers()["etag"].to_str().unwrap()), (StatusCode::NOT_MODIFIED, tag));
        assert!(second.body().is_empty());
    }
}
