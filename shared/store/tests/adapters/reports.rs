//! Contract tests of the report bucket, which read the stored objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use ferrite_aws::testing::emulator_config;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{IdGenerator, PortError};
use ferrite_domain::ReportFile;
use ferrite_domain::contract::reports::ReportStoreUnderTest;
use ferrite_domain::ports::SaveReport;
use ferrite_store::ReportBucket;

struct TestReportBucket {
    client: Client,
    bucket: String,
    adapter: ReportBucket,
}

async fn test_report_bucket() -> TestReportBucket {
    let client = Client::from_conf(Builder::from(&emulator_config()).force_path_style(true).build());
    let bucket = format!("adapters-{}", UniqueIds.new_id());
    client.create_bucket().bucket(&bucket).send().await.expect("should create the bucket");
    TestReportBucket { client, adapter: ReportBucket::new(&emulator_config(), bucket.clone()), bucket }
}

impl SaveReport for TestReportBucket {
    async fn save(&self, file: &ReportFile) -> Result<(), PortError> {
        self.adapter.save(file).await
    }
}

impl ReportStoreUnderTest for TestReportBucket {
    async fn stored_file(&self, key: &str) -> Option<(String, Vec<u8>)> {
        let object = self.client.get_object().bucket(&self.bucket).key(key).send().await.ok()?;
        let content_type = object.content_type().unwrap_or_default().to_owned();
        Some((content_type, object.body.collect().await.ok()?.to_vec()))
    }
}

ferrite_domain::report_store_contract!(test_report_bucket().await);
