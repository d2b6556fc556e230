use ferrite_api::{ApiError, OrderBody};
use ferrite_domain::ports::GetOrder;
use ferrite_runtime::http::{Problem, Request, Response, caller, json, path_id};
use http::StatusCode;

/// Returns the caller's order. Returns 404 for another customer's order, as for an order that does not exist.
pub(crate) async fn get_order(orders: &impl GetOrder, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&request)?;
    let order = orders.get(&caller.id(), path_id(&request, "orderId")?).await?.ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &OrderBody::from(order))?)
}

#[cfg(test)]
mod tests {
    use ferrite_domain::contract;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::CreateProduct;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn returns_an_order_only_to_its_customer() {
        let store = MemoryStore::default();
        let product = contract::product(1);
        store.create(&product).await.unwrap();
        let order = contract::orders::place_order(&store, &[(&product, 1)]).await;
        let get = |customer: &str| {
            let request = request(Method::GET).with_caller(customer, "").path_parameter("orderId", order.id);
            get_order(&store, request)
        };
        let response = get(order.customer.as_str()).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((&body["id"], &body["status"]), (&json!(order.id), &json!("pending")));
        assert_eq!(get("another-customer").await.unwrap_err().problem().status(), StatusCode::NOT_FOUND);
    }
}
