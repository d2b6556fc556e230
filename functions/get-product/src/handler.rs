use ferrite_api::{ApiError, ProductBody, image_bodies};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{GetProduct, SignImageUrl};
use ferrite_runtime::http::{Problem, Request, Response, not_modified, path_id};
use http::StatusCode;

/// Returns a product with its images, or 304 if the client has the current version.
pub(crate) async fn get_product(
    products: &impl GetProduct,
    signer: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let product = products.get(path_id(&request, "productId")?).await?.ok_or_else(Problem::not_found)?;
    let images = image_bodies(&product, signer, clock.now())?;
    let (response, etag) = ProductBody::new(product, images).to_response_and_tag(StatusCode::OK)?;
    not_modified(&request, etag.as_str())?.map_or(Ok(response), Ok)
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
    async fn returns_304_without_a_body_for_a_matching_etag() {
        let store = MemoryStore::default();
        let product = contract::product(3);
        store.create(&product).await.unwrap();
        let get = async |if_none_match: &str| {
            let request = request(http::Method::GET).path_parameter("productId", product.id);
            let request = request.header("if-none-match", if_none_match);
            get_product(&store, &MemorySigner, &FixedClock(contract::now()), request).await.unwrap()
        };
        let first = get("").await;
        assert_eq!(first.status(), StatusCode::OK);
        let etag = first.headers()["etag"].to_str().unwrap();
        let second = get(etag).await;
        assert_eq!((second.status(), second.headers()["etag"].to_str().unwrap()), (StatusCode::NOT_MODIFIED, etag));
        assert!(second.body().is_empty());
    }
}
