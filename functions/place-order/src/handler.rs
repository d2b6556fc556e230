use ferrite_api::{ApiError, OrderBody, PlaceOrderBody};
use ferrite_core::ports::{Clock, NewIds};
use ferrite_domain::ports::{GetProducts, PlaceOrder, PlaceOrderError, Placement};
use ferrite_domain::{CustomerId, Order, PlacementRequest};
use ferrite_runtime::http::{JsonBody, Problem, Request, Response, caller, idempotency, json, located};
use ferrite_runtime::idempotency::DAY;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::{log, trace};
use http::StatusCode;
use tracing::{Instrument, info_span};

const ORDERS_PLACED: Metric = Metric::new("OrdersPlaced", Unit::Count);

/// How often an order is priced before it is rejected because its products change all the time.
const MAX_PRICING_ATTEMPTS: usize = 3;

/// Places an order: 202 with the pending order and its `Location`, once for each idempotency key.
///
/// The response is saved in the transaction that takes the stock and stores the order. Wherever this process dies, the
/// repeated request finds either nothing and is carried out, or the order and its response.
pub(crate) async fn place_order(
    store: &(impl GetProducts + PlaceOrder),
    ids: &impl NewIds,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let customer: CustomerId = caller(&request)?.id();
    let key = idempotency::required_key(&request)?;
    let body = JsonBody::read(&request)?;
    let fingerprint = idempotency::fingerprint(&body)?;
    let wanted = PlacementRequest::try_from(body.parse::<PlaceOrderBody>()?)?;
    let now = clock.now();
    if let Some(saved) = store.find_saved_response(&customer, &key, now).await? {
        return Ok(idempotency::replay(&saved, &fingerprint)?);
    }

    let id = ids.new_id().into();
    for _ in 0..MAX_PRICING_ATTEMPTS {
        let products = store.get_many(&wanted.products()).await?;
        let order = match wanted.clone().price(id, customer.clone(), &products, now) {
            Ok(order) => order,
            // A concurrent retry of this request may have taken the stock: look for its saved response before rejecting.
            Err(error) => match store.find_saved_response(&customer, &key, now).await? {
                Some(saved) => return Ok(idempotency::replay(&saved, &fingerprint)?),
                None => return Err(error.into()),
            },
        };
        let response = accepted(&order)?;
        let saved = idempotency::save(&response, fingerprint.clone())?;
        let (key, key_expires_at) = (key.clone(), now.after(DAY));
        let placement = Placement { order, key, saved, key_expires_at, trace_context: trace::context() };
        match store.place(&placement).instrument(info_span!("place_order")).await {
            Ok(()) => {
                metrics::count(ORDERS_PLACED);
                log::append_key("order_id", placement.order.id.to_string());
                return Ok(response);
            }
            Err(PlaceOrderError::Completed(saved)) => return Ok(idempotency::replay(&saved, &fingerprint)?),
            Err(PlaceOrderError::ProductsChanged) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PlaceOrderError::ProductsChanged.into())
}

/// 202 with the order, whose payment has not been taken yet.
fn accepted(order: &Order) -> Result<Response, Problem> {
    located(json(StatusCode::ACCEPTED, &OrderBody::from(order.clone()))?, &format!("orders/{}", order.id))
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

    fn order(product: &Product) -> Request {
        let body = json!({"lines": [{"productId": product.id, "quantity": 1}], "paymentToken": "tok_success"});
        request(Method::POST).by_caller("ada", "").header("idempotency-key", "k").json(&body)
    }

    async fn place(store: &(impl GetProducts + PlaceOrder), request: Request) -> Result<Response, ApiError> {
        place_order(store, &UniqueIds, &FixedClock(contract::now()), request).await
    }

    async fn stocked(stock: u64) -> (MemoryStore, Product) {
        let (store, product) = (MemoryStore::default(), contract::product(stock));
        store.create(&product).await.unwrap();
        (store, product)
    }

    /// Something that happens once, just before this request looks at the products or just after.
    struct Raced {
        store: MemoryStore,
        product: Product,
        before_the_look: bool,
        same_request: bool,
        happened: AtomicBool,
    }

    impl Raced {
        async fn happen(&self) {
            if self.happened.swap(true, Ordering::Relaxed) {
                return;
            }
            if self.same_request {
                place(&self.store, order(&self.product)).await.unwrap();
            } else {
                let dearer = Money { amount: 9999.try_into().unwrap(), ..self.product.price };
                let patch = ProductPatch { price: Some(dearer), ..ProductPatch::default() };
                self.store.update(self.product.id, &patch, None, contract::now()).await.unwrap();
            }
        }
    }

    impl GetProducts for Raced {
        async fn get_many(&self, ids: &[ProductId]) -> Result<BTreeMap<ProductId, Product>, PortError> {
            if self.before_the_look {
                self.happen().await;
            }
            let found = self.store.get_many(ids).await;
            self.happen().await;
            found
        }
    }

    impl PlaceOrder for Raced {
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
    async fn the_same_request_that_takes_the_last_piece_first_gives_this_one_its_answer() {
        for before_the_look in [true, false] {
            let (store, product) = stocked(1).await;
            let raced = Raced { store, product, before_the_look, same_request: true, happened: AtomicBool::new(false) };
            let answer = place(&raced, order(&raced.product)).await.unwrap();
            let first = place(&raced.store, order(&raced.product)).await.unwrap();
            assert_eq!(answer.body(), first.body());
            assert_eq!(raced.store.get(raced.product.id).await.unwrap().unwrap().stock.get(), 0);
        }
    }

    #[tokio::test]
    async fn an_order_is_priced_anew_when_a_price_changes_under_it() {
        let (store, product) = stocked(1).await;
        let raced = Raced { store, product, before_the_look: false, same_request: false, happened: AtomicBool::new(false) };
        let answer = place(&raced, order(&raced.product)).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["total"]["amount"], 9999);
    }

    #[tokio::test]
    async fn without_a_caller_nothing_is_ordered() {
        let (store, product) = stocked(1).await;
        let (mut parts, body) = order(&product).into_parts();
        parts.extensions.clear();
        let problem = place(&store, Request::from_parts(parts, body)).await.unwrap_err();
        assert_eq!(problem.problem().status(), StatusCode::UNAUTHORIZED);
    }
}
