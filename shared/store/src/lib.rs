//! Implementations of the storefront's ports with DynamoDB, S3 and SES.
//!
//! [`Table`] accesses the DynamoDB table and is the only type that knows its keys. [`ImageBucket`] stores images in S3,
//! and [`ImageSigner`] creates presigned URLs for them. [`ReportBucket`] stores reports, [`Mailer`] sends e-mail, and
//! [`SandboxGateway`] is a payment gateway for testing that takes no money.

mod image_bucket;
mod image_signer;
mod mailer;
mod report_bucket;
mod s3_client;
mod sandbox_gateway;
mod table;

pub use image_bucket::{ImageBucket, UploadKey};
pub use image_signer::ImageSigner;
pub use mailer::Mailer;
pub use report_bucket::ReportBucket;
pub use sandbox_gateway::SandboxGateway;
pub use table::{StreamRecord, StreamRecordError, Table};
