//! The bucket of reports.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use ferrite_core::ports::PortError;
use ferrite_domain::ReportFile;
use ferrite_domain::ports::KeepReport;

use crate::s3_client::s3_client;

/// The bucket that reports are kept in.
#[derive(Debug, Clone)]
pub struct ReportBucket {
    client: Client,
    name: String,
}

impl ReportBucket {
    /// The bucket called `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: s3_client(config), name }
    }
}

impl KeepReport for ReportBucket {
    async fn keep(&self, file: &ReportFile) -> Result<(), PortError> {
        self.client
            .put_object()
            .bucket(&self.name)
            .key(&file.key)
            .content_type(file.content_type)
            .body(ByteStream::from(file.bytes.clone()))
            .send()
            .await
            .map_err(|error| PortError::new("PutObject", error))?;
        Ok(())
    }
}
