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

    async fn stored() -> (MemoryStore, Product) {
        let (store, product) = (MemoryStore::default(), contract::product(3));
        store.create(&product).await.unwrap();
        (store, product)
    }

    fn patch(product: &Product, scope: &str, body: &Value) -> Request {
        request(Method::PATCH).by_caller("ada", scope).path_parameter("productId", product.id).json(body)
    }

    async fn update(store: &MemoryStore, request: Request) -> Result<Response, ApiError> {
        update_product(store, &MemorySigner, &FixedClock(contract::now()), request).await
    }

    #[tokio::test]
    async fn changes_the_named_fields_and_returns_the_product() {
        let (store, product) = stored().await;
        let response = update(&store, patch(&product, PRODUCTS_WRITE, &json!({"stock": 7}))).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((&body["stock"], &body["name"]), (&json!(7), &json!(product.name)));
    }

    #[tokio::test]
    async fn requires_the_scope_of_an_administrator() {
        let (store, product) = stored().await;
        for scope in ["", "products:read", "products:writer"] {
            let error = update(&store, patch(&product, scope, &json!({"stock": 7}))).await.unwrap_err();
            assert_eq!(error.problem().status(), StatusCode::FORBIDDEN, "{scope}");
        }
    }

    #[tokio::test]
    async fn requires_the_version_of_if_match() {
        let (store, product) = stored().await;
        for (tag, status) in [("\"1-0\"", 200), ("\"1-0\"", 412), ("\"x\"", 412)] {
            let request = patch(&product, PRODUCTS_WRITE, &json!({"stock": 7})).header("if-match", tag);
            let result = update(&store, request).await;
            let actual = result.map_or_else(|error| error.problem().status(), |response| response.status());
            assert_eq!(actual.as_u16(), status, "{tag}");
        }
    }

    #[tokio::test]
    async fn rejects_a_body_without_fields() {
        let (store, product) = stored().await;
        let error = update(&store, patch(&product, PRODUCTS_WRITE, &json!({}))).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[tokio::test]
    async fn answers_404_for_an_unknown_product() {
        let (_, unknown) = stored().await;
        let request = patch(&unknown, PRODUCTS_WRITE, &json!({"stock": 7}));
        let error = update(&MemoryStore::default(), request).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::NOT_FOUND);
    }
}
