//! Implementations of the ports with DynamoDB and S3.
//!
//! [`Table`] accesses the DynamoDB table, and `keys.rs` is the only file that knows its keys. `UploadBucket` reads uploads
//! from S3; the feature `s3` adds it.

mod keys;
mod note_item;
mod notes;
mod stream;
mod table;
#[cfg(feature = "s3")]
mod upload_bucket;

pub use stream::{StreamRecord, StreamRecordError};
pub use table::Table;
#[cfg(feature = "s3")]
pub use upload_bucket::{UploadBucket, UploadKey};
