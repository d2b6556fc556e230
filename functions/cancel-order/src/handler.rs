use ferrite_api::{ApiError, OrderBody};
use ferrite_core::ports::Clock;
use ferrite_domain::OrderStatus;
use ferrite_domain::ports::{GetOrder, SaveResult, SaveTransition};
use ferrite_runtime::http::{Problem, Request, Response, caller, json, path_id};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use http::StatusCode;

const ORDERS_CANCELLED: Metric = Metric::new("OrdersCancelled", Unit::Count);

/// Cancels the caller's order and returns its units to stock.
///
/// Returns 200 with the order. A repeated request also returns 200, so that a client can retry when the response was
/// lost. Returns 409 if the payment was already approved or declined.
///
/// The payment may be in progress. process-order receives the cancellation event and voids the payment.
pub(crate) async fn cancel_order(
    orders: &(impl GetOrder + SaveTransition),
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let caller = caller(&request)?;
    let id = path_id(&request, "orderId")?;
    // If a concurrent request changes the order first, the save fails. An order leaves `pending` only once, so the
    // second iteration finds its final status.
    loop {
        let order = orders.get(&caller.id(), id).await?.ok_or_else(Problem::not_found)?;
        if matches!(order.status, OrderStatus::Cancelled { .. }) {
            return Ok(json(StatusCode::OK, &OrderBody::from(order))?);
        }
        let transition = order.cancel(clock.now())?;
        if orders.save(&transition, &trace::context()).await? == SaveResult::Saved {
            metrics::count(ORDERS_CANCELLED);
            return Ok(json(StatusCode::OK, &OrderBody::from(transition.after().clone()))?);
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::TraceContext;
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::{CreateProduct, GetProduct};
    use ferrite_domain::{Order, Product, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    /// A store with five units of a product and a pending order for two of them.
    async fn store_with_order() -> (MemoryStore, Product, Order) {
        let store = MemoryStore::default();
        let product = contract::product(5);
        store.create(&product).await.unwrap();
        let order = contract::orders::place_order(&store, &[(&product, 2)]).await;
        (store, product, order)
    }

    async fn cancel(store: &MemoryStore, caller: &str, order: &Order) -> Result<Value, Problem> {
        let request = request(Method::POST).with_caller(caller, "").path_parameter("orderId", order.id);
        let response = cancel_order(store, &FixedClock(contract::now()), request).await?;
        assert_eq!(response.status(), StatusCode::OK);
        Ok(serde_json::from_slice(response.body()).unwrap())
    }

    async fn stock(store: &MemoryStore, product: &Product) -> u32 {
        GetProduct::get(store, product.id).await.unwrap().unwrap().stock.get()
    }

    #[tokio::test]
    async fn returns_the_stock_once_for_repeated_requests() {
        let (store, product, order) = store_with_order().await;
        let first = cancel(&store, order.customer.as_str(), &order).await.unwrap();
        assert_eq!((&first["status"], &first["reason"]), (&json!("cancelled"), &json!("cancelled by the customer")));
        assert_eq!(cancel(&store, order.customer.as_str(), &order).await.unwrap(), first);
        assert_eq!(stock(&store, &product).await, 5);
    }

    #[tokio::test]
    async fn returns_409_for_a_paid_order() {
        let (store, product, order) = store_with_order().await;
        let paid = order.clone().pay(contract::now()).unwrap();
        assert_eq!(store.save(&paid, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
        let problem = cancel(&store, order.customer.as_str(), &order).await.unwrap_err();
        assert_eq!((problem.status(), stock(&store, &product).await), (StatusCode::CONFLICT, 3));
    }

    #[tokio::test]
    async fn returns_404_for_another_customers_order() {
        let (store, product, order) = store_with_order().await;
        let problem = cancel(&store, "bob", &order).await.unwrap_err();
        assert_eq!((problem.status(), stock(&store, &product).await), (StatusCode::NOT_FOUND, 3));
    }
}
