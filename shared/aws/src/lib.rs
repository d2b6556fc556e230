//! The domain's ports on AWS services, behind one lean SDK client.
//!
//! [`sdk_config`] is what every client is made from, and [`open`] has its connection made in init. [`Table`] is the
//! DynamoDB table, the only place that knows its keys; [`IdempotencyTable`] keeps idempotency records; [`ImageBucket`] the
//! images in S3 and [`ReportBucket`] reports; [`Bus`] is the EventBridge bus; [`Mailer`] sends e-mail; [`Queue`] a consumer's queue; [`Parameters`] are values kept in Systems
//! Manager and Secrets Manager; [`SandboxGateway`] is the payment gateway that takes no money.

mod bus;
mod client;
mod idempotency_record;
mod idempotency_table;
mod image_bucket;
mod mailer;
mod opening;
mod parameters;
mod presign;
mod queue;
mod report_bucket;
mod s3_client;
mod sandbox_gateway;
mod table;
#[cfg(test)]
mod testing;

pub use bus::Bus;
pub use client::{AwsEnvironmentError, sdk_config};
pub use idempotency_table::IdempotencyTable;
pub use image_bucket::{ImageBucket, UploadKey};
pub use mailer::Mailer;
pub use opening::open;
pub use parameters::{ParameterError, ParameterSource, Parameters};
pub use presign::ImageSigner;
pub use queue::Queue;
pub use report_bucket::ReportBucket;
pub use sandbox_gateway::SandboxGateway;
pub use table::{StreamRecord, StreamRecordError, Table};
