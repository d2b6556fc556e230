use ferrite_api::PRODUCTS_WRITE;
use ferrite_domain::ports::DeleteProduct;
use ferrite_runtime::http::{Problem, Request, Response, caller, no_content, path_id};

/// Deletes a product: 204, and 404 the second time.
pub(crate) async fn delete_product(products: &impl DeleteProduct, request: Request) -> Result<Response, Problem> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    if products.delete(path_id(&request, "productId")?).await? { Ok(no_content()) } else { Err(Problem::not_found()) }
}
