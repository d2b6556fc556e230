use ferrite_api::{ApiError, OrderBody, PlaceOrderBody};
use ferrite_core::ports::{Clock, IdGenerator};
use ferrite_domain::ports::{GetProducts, PlaceOrder, PlaceOrderError, Placement};
use ferrite_domain::{CustomerId, Order, PlacementRequest};
use ferrite_runtime::http::{JsonBody, Problem, Request, Response, caller, idempotency, json, with_location};
use ferrite_runtime::idempotency::DEFAULT_LIFETIME as KEY_LIFETIME;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::{log, trace};
use http::StatusCode;
use tracing::{Instrument, info_span};

const ORDERS_PLACED: Metric = Metric::new("OrdersPlaced", Unit::Count);

/// How many times an order is priced before the request fails because its products keep changing.
const MAX_PRICING_ATTEMPTS: usize = 3;

/// Places an order, once for each idempotency key. Returns 202 with the pending order and its `Location`.
///
/// One transaction reserves the stock, stores the order and saves the response. If this process dies, a retry of the
/// request either finds the saved response and returns it, or finds nothing and places the order.
pub(crate) async fn place_order(
    store: &(impl GetProducts + PlaceOrder),
    ids: &impl IdGenerator,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let customer: CustomerId = caller(&request)?.id();
    let key = idempotency::required_key(&request)?;
    let body = JsonBody::read(&request)?;
    let fingerprint = idempotency::fingerprint(&body)?;
    let placement_request = PlacementRequest::try_from(body.parse::<PlaceOrderBody>()?)?;
    let now = clock.now();
    if let Some(saved) = store.find_saved_response(&customer, &key, now).await? {
        return Ok(idempotency::replay(&saved, &fingerprint)?);
    }

    let id = ids.new_id().into();
    for _ in 0..MAX_PRICING_ATTEMPTS {
        let products = store.get_many(&placement_request.product_ids()).await?;
        let order = match placement_request.clone().price(id, customer.clone(), &products, now) {
            Ok(order) => order,
            // A concurrent retry of this request may have reserved the stock, so check for its saved response before
            // returning the error.
            Err(error) => match store.find_saved_response(&customer, &key, now).await? {
                Some(saved) => return Ok(idempotency::replay(&saved, &fingerprint)?),
                None => return Err(error.into()),
            },
        };
        let response = accepted(&order)?;
        let saved_response = idempotency::to_saved_response(&response, fingerprint.clone())?;
        let placement = Placement {
            order,
            key: key.clone(),
            saved_response,
            key_expires_at: now.plus(KEY_LIFETIME),
            trace_context: trace::context(),
        };
        match store.place(&placement).instrument(info_span!("place_order")).await {
            Ok(()) => {
                metrics::count(ORDERS_PLACED);
                log::append_key("order_id", placement.order.id.to_string());
                return Ok(response);
            }
            Err(PlaceOrderError::AlreadyPlaced(saved)) => return Ok(idempotency::replay(&saved, &fingerprint)?),
            Err(PlaceOrderError::ProductsChanged) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PlaceOrderError::ProductsChanged.into())
}

/// The 202 response with the pending order and its location.
fn accepted(order: &Order) -> Result<Response, Problem> {
    with_location(json(StatusCode::ACCEPTED, &OrderBody::from(order.clone()))?, &format!("orders/{}", order.id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_core::ports::{PortError, SavedResponse};
    use ferrite_core::{IdempotencyKey, Timestamp};
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::{CreateProduct, GetProduct, UpdateProduct};
    use ferrite_domain::{Money, Product, ProductId, ProductPatch, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::json;

    use super::*;

    const NO_SCOPES: &str = "";

    fn order_request(product: &Product) -> Request {
        let body = json!({"lines": [{"productId": product.id, "quantity": 1}], "paymentToken": "tok_success"});
        request(Method::POST).with_caller("ada", NO_SCOPES).header("idempotency-key", "k").json(&body)
    }

    async fn place(store: &(impl GetProducts + PlaceOrder), request: Request) -> Result<Response, ApiError> {
        place_order(store, &UniqueIds, &FixedClock(contract::now()), request).await
    }

    async fn store_with_stock(stock: u64) -> (MemoryStore, Product) {
        let store = MemoryStore::default();
        let product = contract::product(stock);
        store.create(&product).await.unwrap();
        (store, product)
    }

    /// A change by a concurrent request.
    enum Change {
        /// A retry of the same request places the order.
        Retry,
        /// The price of the product is updated.
        Price,
    }

    /// A store in which a concurrent request makes a change once, just before or after the first read of the products.
    struct ConcurrentlyChangedStore {
        store: MemoryStore,
        product: Product,
        /// Whether the change is made before the read. Otherwise, it is made after the read.
        before_read: bool,
        change: Change,
        applied: AtomicBool,
    }

    impl ConcurrentlyChangedStore {
        async fn apply(&self) {
            if self.applied.swap(true, Ordering::Relaxed) {
                return;
            }
            match self.change {
                Change::Retry => {
                    place(&self.store, order_request(&self.product)).await.unwrap();
                }
                Change::Price => {
                    let higher_price = Money { amount: 9999.try_into().unwrap(), ..self.product.price };
                    let patch = ProductPatch { price: Some(higher_price), ..ProductPatch::default() };
                    self.store.update(self.product.id, &patch, None, contract::now()).await.unwrap();
                }
            }
        }
    }

    impl GetProducts for ConcurrentlyChangedStore {
        async fn get_many(&self, ids: &[ProductId]) -> Result<BTreeMap<ProductId, Product>, PortError> {
            if self.before_read {
                self.apply().await;
            }
            let found = self.store.get_many(ids).await;
            self.apply().await;
            found
        }
    }

    impl PlaceOrder for ConcurrentlyChangedStore {
        async fn find_saved_response(
            &self,
            customer: &CustomerId,
            key: &IdempotencyKey,
            now: Timestamp,
        ) -> Result<Option<SavedResponse>, PortError> {
            self.store.find_saved_response(customer, key, now).await
        }

        async fn place(&self, placement: &Placement) -> Result<(), PlaceOrderError> {
            self.store.place(placement).await
        }
    }

    #[tokio::test]
    async fn returns_the_saved_response_when_a_concurrent_retry_reserves_the_last_unit() {
        for before_read in [true, false] {
            let (store, product) = store_with_stock(1).await;
            let changed_store = ConcurrentlyChangedStore {
                store,
                product,
                before_read,
                change: Change::Retry,
                applied: AtomicBool::new(false),
            };
            let response = place(&changed_store, order_request(&changed_store.product)).await.unwrap();
            let saved = place(&changed_store.store, order_request(&changed_store.product)).await.unwrap();
            assert_eq!(response.body(), saved.body());
            assert_eq!(changed_store.store.get(changed_store.product.id).await.unwrap().unwrap().stock.get(), 0);
        }
    }

    #[tokio::test]
    async fn prices_the_order_again_when_a_price_changes() {
        let (store, product) = store_with_stock(1).await;
        let changed_store = ConcurrentlyChangedStore {
            store,
            product,
            before_read: false,
            change: Change::Price,
            applied: AtomicBool::new(false),
        };
        let response = place(&changed_store, order_request(&changed_store.product)).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["total"]["amount"], 9999);
    }

    #[tokio::test]
    async fn requires_a_caller() {
        let (store, product) = store_with_stock(1).await;
        let (mut parts, body) = order_request(&product).into_parts();
        parts.extensions.clear();
        let error = place(&store, Request::from_parts(parts, body)).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNAUTHORIZED);
    }
}
