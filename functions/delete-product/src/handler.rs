use ferrite_api::{ApiError, PRODUCTS_WRITE};
use ferrite_domain::ports::DeleteProduct;
use ferrite_runtime::http::{Problem, Request, Response, caller, no_content, path_id};

/// Deletes a product. Returns 204, or 404 if the product does not exist. Requires the scope `products:write`.
pub(crate) async fn delete_product(products: &impl DeleteProduct, request: Request) -> Result<Response, ApiError> {
    caller(&request)?.require_scope(PRODUCTS_WRITE)?;
    if !products.delete(path_id(&request, "productId")?).await? {
        return Err(Problem::not_found().into());
    }
    Ok(no_content())
}

#[cfg(test)]
mod tests {
    use ferrite_domain::contract;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::CreateProduct;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::{Method, StatusCode};

    use super::*;

    #[tokio::test]
    async fn deletes_a_product_once() {
        let store = MemoryStore::default();
        let product = contract::product(1);
        store.create(&product).await.unwrap();
        let delete = |scope| {
            let request = request(Method::DELETE).with_caller("ada", scope).path_parameter("productId", product.id);
            delete_product(&store, request)
        };
        assert_eq!(delete("products:read").await.unwrap_err().problem().status(), StatusCode::FORBIDDEN);
        assert_eq!(delete(PRODUCTS_WRITE).await.unwrap().status(), StatusCode::NO_CONTENT);
        assert_eq!(delete(PRODUCTS_WRITE).await.unwrap_err().problem().status(), StatusCode::NOT_FOUND);
    }
}
