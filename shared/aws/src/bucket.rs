//! S3 bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_types::SdkConfig;
use ferrite_core::ports::{PortError, ReadObject};

use crate::prewarm;

/// Creates an S3 client. Custom endpoints use path-style URLs, because they have no host names for buckets.
#[must_use]
pub fn s3_client(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).force_path_style(config.endpoint_url().is_some()).build())
}

/// Reads objects of an S3 bucket.
///
/// The role needs `s3:GetObject` on the objects and `s3:ListBucket` on the bucket. Without the second one, S3 answers with
/// 403 instead of 404 if an object does not exist.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// Uses the bucket `name`.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { client: s3_client(config), name }
    }

    /// Opens the connection during init by reading `key`, an object that does not exist; see [`prewarm`]. It costs one
    /// `GET` request.
    pub async fn prewarm_read(&self, key: &str) {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let one_attempt = Builder::new().retry_config(RetryConfig::disabled());
        prewarm(get.customize().config_override(one_attempt).send()).await;
    }
}

impl ReadObject for Bucket {
    async fn read(&self, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, PortError> {
        // A range keeps a large object out of the memory of the function.
        let get = self.client.get_object().bucket(&self.name).key(key).range(format!("bytes=0-{max_bytes}"));
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            // An empty object has no first byte.
            Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 416) => {
                return Ok(Some(Vec::new()));
            }
            Err(error) => return Err(PortError::new("GetObject", error)),
        };
        let body = object.body.collect().await.map_err(|error| PortError::new("GetObject", error))?;
        Ok(Some(body.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MockServer, config_at, ok, response};

    #[tokio::test]
    async fn tells_missing_and_empty_objects_from_failures() {
        let error = |code: &str| format!("<Error><Code>{code}</Code></Error>");
        let server = MockServer::start(move |request| match request.path.as_str() {
            path if path.starts_with("/uploads/a/note.txt") => ok("a note"),
            path if path.starts_with("/uploads/a/empty") => response(416, &error("InvalidRange")),
            path if path.starts_with("/uploads/a/missing") => response(404, &error("NoSuchKey")),
            _ => response(403, &error("AccessDenied")),
        })
        .await;
        let bucket = Bucket::new(&config_at(server.address), "uploads".to_owned());
        assert_eq!(bucket.read("a/note.txt", 10).await.unwrap(), Some(b"a note".to_vec()));
        assert_eq!(bucket.read("a/empty", 10).await.unwrap(), Some(Vec::new()));
        assert_eq!(bucket.read("a/missing", 10).await.unwrap(), None);
        assert_eq!(bucket.read("b/forbidden", 10).await.unwrap_err().operation, "GetObject");
    }
}
