//! S3 bucket for uploads, and its object keys.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::get_object::GetObjectError;
use domain::ports::ReadUpload;
use domain::{AuthorId, NoteId};
use ferrite_aws::prewarm;
use ferrite_core::ports::PortError;

/// Object key of an uploaded note: `uploads/<author>/<note>.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadKey {
    /// The author of the note.
    pub author: AuthorId,
    /// Identifier of the note.
    pub note: NoteId,
}

impl UploadKey {
    /// Parses an object key. Returns `None` if it is not the key of an uploaded note.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (author, note) = key.strip_prefix("uploads/")?.strip_suffix(".txt")?.rsplit_once('/')?;
        Some(Self { author: author.to_owned().try_into().ok()?, note: note.parse().ok()? })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_keys_of_notes() {
        let note = "note_0192f0c1a2b37c4d8e5f60718293a4b5";
        let key = UploadKey::parse(&format!("uploads/auth0|ada/{note}.txt")).unwrap();
        assert_eq!((key.author.to_string().as_str(), key.note.to_string().as_str()), ("auth0|ada", note));
        for key in ["uploads/", "uploads/ada/note_1.txt", &format!("uploads/{note}.txt"), &format!("uploads/ada/{note}")] {
            assert_eq!(UploadKey::parse(key), None, "{key}");
        }
    }
}
