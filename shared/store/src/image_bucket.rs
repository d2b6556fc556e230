//! S3 bucket for image uploads and the image variants generated from them.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use ferrite_aws::{prewarm, s3_client};
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{ImageFiles, Upload};
use ferrite_domain::{ContentType, ImageId, ProductId, UploadSize, VariantName};

use crate::image_keys::{UploadKey, variant_key};

/// S3 bucket for image uploads and image variants.
#[derive(Debug, Clone)]
pub struct ImageBucket {
    client: Client,
    name: String,
}

impl ImageBucket {
    /// Uses the bucket `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: s3_client(config), name }
    }

    /// Opens the connection during init by reading an object that does not exist; see [`prewarm`]. It costs one `GET`
    /// request.
    pub async fn prewarm_read(&self) {
        let get = self.client.get_object().bucket(&self.name).key("uploads/none");
        let one_attempt = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        prewarm(get.customize().config_override(one_attempt).send()).await;
    }
}

impl ImageFiles for ImageBucket {
    async fn read_upload(&self, product: ProductId, image: ImageId) -> Result<Option<Upload>, PortError> {
        let response =
            self.client.get_object().bucket(&self.name).key(UploadKey { product, image }.to_string()).send().await;
        let object = match response {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            Err(error) => return Err(PortError::new("GetObject", error)),
        };
        // Presigned uploads have a signed content length. Check the size again for objects that were written in another
        // way.
        if object.content_length().is_some_and(|length| length.unsigned_abs() > UploadSize::MAX) {
            return Ok(Some(Upload::TooLarge));
        }
        let content_type = object.content_type().and_then(|text| ContentType::try_from(text.to_owned()).ok());
        let body = object.body.collect().await.map_err(|error| PortError::new("GetObject", error))?;
        Ok(Some(Upload::File(body.to_vec(), content_type)))
    }

    async fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> Result<(), PortError> {
        self.client
            .put_object()
            .bucket(&self.name)
            .key(variant_key(product, image, variant))
            .content_type("image/jpeg")
            // The content of a variant never changes, because each upload has its own image identifier.
            .cache_control("public, max-age=31536000, immutable")
            .body(ByteStream::from(jpeg))
            .send()
            .await
            .map_err(|error| PortError::new("PutObject", error))?;
        Ok(())
    }
}
