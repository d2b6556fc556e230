use ferrite_api::{ApiError, OrderBody, PageBody, page_request};
use ferrite_domain::ports::ListOrders;
use ferrite_runtime::http::{Request, Response, caller, json};
use http::StatusCode;

/// Returns one page of the caller's orders, newest first.
pub(crate) async fn list_orders(orders: &impl ListOrders, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&request)?;
    let page = orders.list(&caller.id(), &page_request(&request)?).await?;
    let body = PageBody::new(page, |order| Ok::<_, ApiError>(OrderBody::from(order)))?;
    Ok(json(StatusCode::OK, &body)?)
}

#[cfg(test)]
mod tests {
    use ferrite_domain::contract;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::CreateProduct;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::Value;

    use super::*;

    async fn count_listed(store: &MemoryStore, customer: &str) -> usize {
        let response = list_orders(store, request(Method::GET).with_caller(customer, "")).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        body["items"].as_array().unwrap().len()
    }

    #[tokio::test]
    async fn lists_only_the_orders_of_the_caller() {
        let store = MemoryStore::default();
        let product = contract::product(2);
        store.create(&product).await.unwrap();
        let order = contract::orders::place_order(&store, &[(&product, 1)]).await;
        contract::orders::place_order(&store, &[(&product, 1)]).await;
        assert_eq!(count_listed(&store, order.customer.as_str()).await, 1);
        assert_eq!(count_listed(&store, "another-customer").await, 0);
    }

    #[tokio::test]
    async fn requires_a_caller() {
        let error = list_orders(&MemoryStore::default(), request(Method::GET)).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNAUTHORIZED);
    }
}
