use ferrite_api::{ApiError, PRODUCTS_WRITE};
use ferrite_domain::ports::DeleteProduct;
use ferrite_runtime::http::{Problem, Request, Response, caller, no_content, path_id};

/// Deletes a product: 204, and 404 the second time.
pub(crate) async fn delete_product(products: &impl DeleteProduct, request: Request) -> Result<Response, ApiError> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    if !products.delete(path_id(&request, "productId")?).await? {
        return Err(Problem::not_found().into());
    }
    Ok(no_content())
}
