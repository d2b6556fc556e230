//! S3 bucket for reports.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use ferrite_aws::s3_client;
use ferrite_core::ports::PortError;
use ferrite_domain::ReportFile;
use ferrite_domain::ports::SaveReport;

/// S3 bucket for reports.
#[derive(Debug, Clone)]
pub struct ReportBucket {
    client: Client,
    name: String,
}

impl ReportBucket {
    /// Uses the bucket `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: s3_client(config), name }
    }
}

impl SaveReport for ReportBucket {
    async fn save(&self, file: &ReportFile) -> Result<(), PortError> {
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
