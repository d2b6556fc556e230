use ferrite_api::{ApiError, PRODUCTS_WRITE, ProductBody, ProductPatchBody, expected_version, image_bodies};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{SignImageUrl, UpdateProduct};
use ferrite_domain::{ProductId, ProductPatch};
use ferrite_runtime::http::{Problem, Request, Response, caller, json_body, path_id};
use http::StatusCode;

/// Changes the fields of a product that are in the request body. Returns 200 with the product, or 412 if `If-Match`
/// does not match its current version. Requires the scope `products:write`.
pub(crate) async fn update_product(
    products: &impl UpdateProduct,
    signer: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require_scope(PRODUCTS_WRITE)?;
    let id: ProductId = path_id(&request, "productId")?;
    let patch: ProductPatch = json_body::<ProductPatchBody>(&request)?.into();
    if patch.is_empty() {
        return Err(Problem::invalid(Vec::new())
            .detail("The request body must contain at least one field to change.")
            .into());
    }
    let now = clock.now();
    let product = products.update(id, &patch, expected_version(&request)?, now).await?;
    let images = image_bodies(&product, signer, now)?;
    let (response, _) = ProductBody::new(product, images).to_response_and_tag(StatusCode::OK)?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::{MemorySigner, MemoryStore};
    use ferrite_domain::ports::CreateProduct;
    use ferrite_domain::{Product, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    async fn store_with_product() -> (MemoryStore, Product) {
        let store = MemoryStore::default();
        let product = contract::product(3);
        store.create(&product).await.unwrap();
        (store, product)
    }

    fn patch(product: &Product, scope: &str, body: &Value) -> Request {
        request(Method::PATCH).with_caller("ada", scope).path_parameter("productId", product.id).json(body)
    }

    async fn update(store: &MemoryStore, request: Request) -> Result<Response, ApiError> {
        update_product(store, &MemorySigner, &FixedClock(contract::now()), request).await
    }

    #[tokio::test]
    async fn changes_the_given_fields_and_returns_the_product() {
        let (store, product) = store_with_product().await;
        let response = update(&store, patch(&product, PRODUCTS_WRITE, &json!({"stock": 7}))).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((&body["stock"], &body["name"]), (&json!(7), &json!(product.name)));
    }

    #[tokio::test]
    async fn requires_the_products_write_scope() {
        let (store, product) = store_with_product().await;
        for scope in ["", "products:read", "products:writer"] {
            let error = update(&store, patch(&product, scope, &json!({"stock": 7}))).await.unwrap_err();
            assert_eq!(error.problem().status(), StatusCode::FORBIDDEN, "{scope}");
        }
    }

    #[tokio::test]
    async fn returns_412_if_the_etag_does_not_match() {
        let (store, product) = store_with_product().await;
        for (etag, status) in [("\"1-0\"", 200), ("\"1-0\"", 412), ("\"x\"", 412)] {
            let request = patch(&product, PRODUCTS_WRITE, &json!({"stock": 7})).header("if-match", etag);
            let result = update(&store, request).await;
            let actual = result.map_or_else(|error| error.problem().status(), |response| response.status());
            assert_eq!(actual.as_u16(), status, "{etag}");
        }
    }

    #[tokio::test]
    async fn rejects_a_body_without_fields() {
        let (store, product) = store_with_product().await;
        let error = update(&store, patch(&product, PRODUCTS_WRITE, &json!({}))).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[tokio::test]
    async fn returns_404_for_an_unknown_product() {
        let (_, unknown) = store_with_product().await;
        let request = patch(&unknown, PRODUCTS_WRITE, &json!({"stock": 7}));
        let error = update(&MemoryStore::default(), request).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::NOT_FOUND);
    }
}
