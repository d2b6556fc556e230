use ferrite_api::{ApiError, PageBody, ProductBody, image_bodies, page_request};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{ListProducts, SignImageUrl};
use ferrite_runtime::http::{Request, Response, json};
use http::StatusCode;

/// Returns one page of the products, newest first.
pub(crate) async fn list_products(
    products: &impl ListProducts,
    signer: &impl SignImageUrl,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let page = products.list(&page_request(&request)?).await?;
    let now = clock.now();
    let body = PageBody::new(page, |product| {
        let images = image_bodies(&product, signer, now)?;
        Ok::<_, ApiError>(ProductBody::new(product, images))
    })?;
    Ok(json(StatusCode::OK, &body)?)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::contract;
    use ferrite_domain::memory::{MemorySigner, MemoryStore};
    use ferrite_domain::ports::CreateProduct;
    use ferrite_runtime::http::testing::request;
    use http::Method;
    use lambda_http::RequestExt;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn lists_the_newest_product_first_and_returns_a_cursor() {
        let store = MemoryStore::default();
        let older = contract::product(1);
        let newer = contract::product(1);
        store.create(&older).await.unwrap();
        store.create(&newer).await.unwrap();
        let mut query = vec![("limit".to_owned(), vec!["1".to_owned()])];
        for product in [&newer, &older] {
            let parameters: std::collections::HashMap<_, _> = query.iter().cloned().collect();
            let request = request(Method::GET).with_query_string_parameters(parameters);
            let response = list_products(&store, &MemorySigner, &FixedClock(contract::now()), request).await.unwrap();
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body["items"][0]["id"], json!(product.id));
            query.extend(body["nextCursor"].as_str().map(|cursor| ("cursor".to_owned(), vec![cursor.to_owned()])));
        }
        assert_eq!(query.len(), 2, "the last page has no cursor");
    }
}
