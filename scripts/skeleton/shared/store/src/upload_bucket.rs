//! S3 bucket for uploads.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::get_object::GetObjectError;
use domain::ports::ReadUpload;
use ferrite_aws::prewarm;
use ferrite_core::ports::PortError;

/// S3 bucket for uploads.
#[derive(Debug, Clone)]
pub struct UploadBucket {
    client: Client,
    name: String,
}

impl UploadBucket {
    /// Uses the bucket `name`. Custom endpoints use path-style URLs, because they have no host names for buckets.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        let builder = Builder::from(config).force_path_style(config.endpoint_url().is_some());
        Self { client: Client::from_conf(builder.build()), name }
    }

    /// Opens the connection during init by reading an object that does not exist; see [`prewarm`]. It costs one `GET`
    /// request.
    pub async fn prewarm_read(&self) {
        let get = self.client.get_object().bucket(&self.name).key("uploads/none");
        let one_attempt = Builder::new().retry_config(RetryConfig::disabled());
        prewarm(get.customize().config_override(one_attempt).send()).await;
    }
}

impl ReadUpload for UploadBucket {
    async fn read(&self, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, PortError> {
        // A range keeps a large file out of the memory of the function.
        let get = self.client.get_object().bucket(&self.name).key(key).range(format!("bytes=0-{max_bytes}"));
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            // An empty file has no first byte.
            Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 416) => {
                return Ok(Some(Vec::new()));
            }
            Err(error) => return Err(PortError::new("GetObject", error)),
        };
        let body = object.body.collect().await.map_err(|error| PortError::new("GetObject", error))?;
        Ok(Some(body.to_vec()))
    }
}
