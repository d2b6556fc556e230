use ferrite_api::{ApiError, OrderBody};
use ferrite_domain::ports::GetOrder;
use ferrite_runtime::http::{Problem, Request, Response, caller, json, path_id};
use http::StatusCode;

/// Shows the caller's order; another's is as little there as one that does not exist.
pub(crate) async fn get_order(orders: &impl GetOrder, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&request)?;
    let order = orders.get(&caller.id(), path_id(&request, "orderId")?).await?.ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &OrderBody::from(order))?)
}
