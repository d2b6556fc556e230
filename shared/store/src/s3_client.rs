//! S3 client.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_types::SdkConfig;

/// Creates an S3 client. Custom endpoints use path-style URLs, because they have no host names for buckets.
pub(crate) fn s3_client(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).force_path_style(config.endpoint_url().is_some()).build())
}
