use ferrite_api::{ApiError, ImageBodies, NewProductBody, PRODUCTS_WRITE, ProductBody};
use ferrite_core::ports::{Clock, IdGenerator};
use ferrite_domain::NewProduct;
use ferrite_domain::ports::CreateProduct;
use ferrite_runtime::http::{Request, Response, caller, json_body, with_location};
use http::StatusCode;

/// Creates a product. Returns 201 with the product and its `Location`. Requires the scope `products:write`.
pub(crate) async fn create_product(
    products: &impl CreateProduct,
    ids: &impl IdGenerator,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require_scope(PRODUCTS_WRITE)?;
    let new: NewProduct = json_body::<NewProductBody>(&request)?.into();
    let product = new.create(ids.new_id().into(), clock.now());
    products.create(&product).await?;

    let location = format!("products/{}", product.id);
    let (response, _) = ProductBody::new(product, ImageBodies::default()).to_response_and_tag(StatusCode::CREATED)?;
    Ok(with_location(response, &location)?)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_domain::contract;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::GetProduct;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    async fn create(store: &MemoryStore, scope: &str, body: &Value) -> Result<Response, ApiError> {
        let request = request(Method::POST).with_caller("ada", scope).json(body);
        create_product(store, &UniqueIds, &FixedClock(contract::now()), request).await
    }

    fn tea() -> Value {
        json!({"name": "Tea", "price": {"amount": 1250, "currency": "EUR"}, "stock": 3})
    }

    #[tokio::test]
    async fn stores_the_product_and_returns_its_location() {
        let store = MemoryStore::default();
        let response = create(&store, PRODUCTS_WRITE, &tea()).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let id = body["id"].as_str().unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["location"], format!("products/{id}"));
        assert_eq!(store.get(id.parse().unwrap()).await.unwrap().unwrap().stock.get(), 3);
    }

    #[tokio::test]
    async fn requires_the_products_write_scope() {
        for scope in ["", "products:read", "products:writer"] {
            let error = create(&MemoryStore::default(), scope, &tea()).await.unwrap_err();
            assert_eq!(error.problem().status(), StatusCode::FORBIDDEN, "{scope}");
        }
    }

    #[tokio::test]
    async fn requires_a_caller() {
        let request = request(Method::POST).json(&tea());
        let store = MemoryStore::default();
        let error = create_product(&store, &UniqueIds, &FixedClock(contract::now()), request).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn rejects_invalid_fields() {
        let error = create(&MemoryStore::default(), PRODUCTS_WRITE, &json!({"name": ""})).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
