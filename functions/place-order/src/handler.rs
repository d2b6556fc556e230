use ferrite_api::PlaceOrderBody;
use ferrite_domain::PlacementRequest;
use ferrite_domain::ports::{Clock, GetProducts, NewIds, PlaceError, PlaceOrder, Placement};
use ferrite_runtime::http::{Problem, Request, Response, caller, json_body};

use crate::idempotency;

/// How often an order is priced anew because a price changed under it.
const PRICINGS: usize = 3;

/// Places an order: 202 with the pending order and its `Location`, once for each idempotency key.
///
/// The answer is saved in the transaction that takes the stock and keeps the order. Wherever this process dies, the
/// same request finds either no trace and is carried out, or the order and its answer.
pub(crate) async fn place_order(
    store: &(impl GetProducts + PlaceOrder),
    ids: &impl NewIds,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, Problem> {
    let customer = caller(&request)?.id().clone();
    let key = idempotency::key(&request)?;
    let wanted = PlacementRequest::try_from(json_body::<PlaceOrderBody>(&request)?)?;
    let fingerprint = idempotency::fingerprint(&request);
    let now = clock.now();
    if let Some(saved) = store.find_answer(&customer, &key, now).await? {
        return idempotency::replay(&saved, &fingerprint);
    }

    let id = ids.new_id().into();
    for _ in 0..PRICINGS {
        let products = store.get_many(&wanted.products()).await?;
        let order = match wanted.clone().price(id, customer.clone(), &products, now) {
            Ok(order) => order,
            // What is missing may be what the same request, sent a moment ago, has just taken.
            Err(refusal) => match store.find_answer(&customer, &key, now).await? {
                Some(saved) => return idempotency::replay(&saved, &fingerprint),
                None => return Err(refusal.into()),
            },
        };
        let saved = idempotency::save(&order, fingerprint.clone())?;
        let placement = Placement { order, key: key.clone(), saved, key_expires_at: idempotency::expiry(now) };
        match store.place(&placement).await {
            Ok(()) => return idempotency::replay(&placement.saved, &fingerprint),
            Err(PlaceError::Answered(saved)) => return idempotency::replay(&saved, &fingerprint),
            Err(PlaceError::ProductsChanged) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PlaceError::ProductsChanged.into())
}
