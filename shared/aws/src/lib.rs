//! The domain's ports on AWS services, behind one lean SDK client.
//!
//! [`sdk_config`] is what every client is made from. [`Table`] is the DynamoDB table, the only place that knows its
//! keys; [`ImageBucket`] the images in S3; [`Bus`] the EventBridge bus; [`Queue`] a consumer's queue; [`SandboxGateway`] the payment gateway that
//! takes no money.

mod bus;
mod client;
mod image_bucket;
mod presign;
mod queue;
mod sandbox_gateway;
mod table;

pub use bus::Bus;
pub use client::{AwsEnvironmentError, sdk_config};
pub use image_bucket::{ImageBucket, UploadKey};
pub use presign::ImageSigner;
pub use queue::Queue;
pub use sandbox_gateway::SandboxGateway;
pub use table::{StreamRecord, StreamRecordError, Table};
