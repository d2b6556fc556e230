use ferrite_api::{ImageBodies, NewProductBody, PRODUCTS_WRITE, ProductBody};
use ferrite_domain::NewProduct;
use ferrite_domain::ports::{Clock, CreateProduct, NewIds};
use ferrite_runtime::http::{Problem, Request, Response, caller, json_body};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

/// Makes a product: 201 with the product and its `Location`.
pub(crate) async fn create_product(
    products: &impl CreateProduct,
    ids: &impl NewIds,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, Problem> {
    caller(&request)?.require(PRODUCTS_WRITE)?;
    let new: NewProduct = json_body::<NewProductBody>(&request)?.into();
    let product = new.create(ids.new_id().into(), clock.now());
    products.create(&product).await?;

    // Relative to this request's own URL (RFC 9110, section 10.2.2), which ends in `products` behind whatever stage.
    let location = HeaderValue::try_from(format!("products/{}", product.id)).map_err(Problem::internal)?;
    let (mut response, _) = ProductBody::new(product, ImageBodies::default()).answer(StatusCode::CREATED)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
