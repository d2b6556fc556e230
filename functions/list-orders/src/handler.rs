use ferrite_api::{ApiError, OrderBody, PageBody, page_request};
use ferrite_domain::ports::ListOrders;
use ferrite_runtime::http::{Request, Response, caller, json};
use http::StatusCode;

/// Lists the caller's orders, newest first, a page at a time.
pub(crate) async fn list_orders(orders: &impl ListOrders, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&request)?;
    let page = orders.list(&caller.id(), &page_request(&request)?).await?;
    let body = PageBody::new(page, |order| Ok::<_, ApiError>(OrderBody::from(order)))?;
    Ok(json(StatusCode::OK, &body)?)
}
