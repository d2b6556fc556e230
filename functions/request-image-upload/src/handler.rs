use ferrite_api::{ApiError, ImageRequestBody, PRODUCTS_WRITE, UploadBody};
use ferrite_core::ports::{Clock, IdGenerator};
use ferrite_domain::ports::{AddImage, SignUpload};
use ferrite_domain::{Image, ImageState, ProductId};
use ferrite_runtime::http::{Request, Response, caller, json, json_body, path_id};
use http::StatusCode;

/// Adds a pending image to a product. Returns 201 with a presigned S3 request, which accepts only a file with the
/// content type and size from the request body. Requires the scope `products:write`.
pub(crate) async fn request_image_upload(
    products: &impl AddImage,
    signer: &impl SignUpload,
    ids: &impl IdGenerator,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    caller(&request)?.require_scope(PRODUCTS_WRITE)?;
    let product: ProductId = path_id(&request, "productId")?;
    let now = clock.now();
    let upload = json_body::<ImageRequestBody>(&request)?.to_upload(product, ids.new_id().into());
    let signed = signer.sign_upload(&upload, now)?;

    let state = ImageState::Pending { content_type: upload.content_type };
    products.add_image(product, &Image { id: upload.image, state, requested_at: now }).await?;
    Ok(json(StatusCode::CREATED, &UploadBody::new(upload.image, signed))?)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_domain::memory::{MemorySigner, MemoryStore};
    use ferrite_domain::ports::{CreateProduct, GetProduct};
    use ferrite_domain::{MAX_IMAGES, Product, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    async fn request_upload(store: &MemoryStore, product: &Product, scope: &str) -> Result<Response, ApiError> {
        let body = json!({"contentType": "image/png", "sizeBytes": 2048});
        let request = request(Method::POST).with_caller("ada", scope).path_parameter("productId", product.id).json(&body);
        request_image_upload(store, &MemorySigner, &UniqueIds, &FixedClock(contract::now()), request).await
    }

    async fn store_with_product() -> (MemoryStore, Product) {
        let store = MemoryStore::default();
        let product = contract::product(1);
        store.create(&product).await.unwrap();
        (store, product)
    }

    #[tokio::test]
    async fn adds_a_pending_image_and_returns_a_presigned_request() {
        let (store, product) = store_with_product().await;
        let response = request_upload(&store, &product, PRODUCTS_WRITE).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status(), &body["upload"]["method"]), (StatusCode::CREATED, &json!("PUT")));
        assert_eq!(body["upload"]["headers"]["content-length"], "2048");
        let image = &store.get(product.id).await.unwrap().unwrap().images[0];
        assert_eq!(json!(image.id), body["imageId"]);
        assert!(matches!(image.state, ImageState::Pending { .. }));
    }

    #[tokio::test]
    async fn requires_the_products_write_scope() {
        let (store, product) = store_with_product().await;
        let error = request_upload(&store, &product, "products:read").await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn returns_409_when_the_product_has_the_maximum_number_of_images() {
        let (store, product) = store_with_product().await;
        for _ in 0..MAX_IMAGES {
            request_upload(&store, &product, PRODUCTS_WRITE).await.unwrap();
        }
        let error = request_upload(&store, &product, PRODUCTS_WRITE).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::CONFLICT);
    }
}
