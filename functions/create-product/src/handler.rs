use ferrite_api::{ApiError, ImageBodies, NewProductBody, PRODUCTS_WRITE, ProductBody};
use ferrite_core::ports::{Clock, NewIds};
use ferrite_domain::NewProduct;
use ferrite_domain::ports::CreateProduct;
use ferrite_runtime::http::{Request, Response, caller, json_body, located};
use http::StatusCode;

/// Creates a product: 201 with the product and its `Location`.
pub(crate) async fn create_product(
    products: &impl CreateProduct,
    ids: &impl NewIds,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    let new: NewProduct = json_body::<NewProductBody>(&request)?.into();
    let product = new.create(ids.new_id().into(), clock.now());
    products.create(&product).await?;

    let location = format!("products/{}", product.id);
    let (response, _) = ProductBody::new(product, ImageBodies::default()).answer(StatusCode::CREATED)?;
    Ok(located(response, &location)?)
}
