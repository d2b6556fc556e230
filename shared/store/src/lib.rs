//! Implementations of the storefront's ports with DynamoDB, S3 and SES.
//!
//! [`Table`] accesses the DynamoDB table and is the only type that knows its keys. [`ImageBucket`] stores images in S3,
//! and [`ImageSigner`] creates presigned URLs for them. [`ReportBucket`] stores reports, [`Mailer`] sends e-mail, and
//! [`SandboxGateway`] is a payment gateway for testing that takes no money.
//!
//! The features `s3` and `ses` add the types that use these services.

#[cfg(feature = "s3")]
mod image_bucket;
mod image_keys;
mod image_signer;
#[cfg(feature = "ses")]
mod mailer;
#[cfg(feature = "s3")]
mod report_bucket;
mod sandbox_gateway;
mod table;

#[cfg(feature = "s3")]
pub use image_bucket::ImageBucket;
pub use image_keys::UploadKey;
pub use image_signer::ImageSigner;
#[cfg(feature = "ses")]
pub use mailer::Mailer;
#[cfg(feature = "s3")]
pub use report_bucket::ReportBucket;
pub use sandbox_gateway::SandboxGateway;
pub use table::{StreamRecord, StreamRecordError, Table};
