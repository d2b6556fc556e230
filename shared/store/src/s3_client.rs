//! How S3 is called.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_types::SdkConfig;

/// The client. Without a bucket's own host name, an endpoint other than AWS's is reached by path.
pub(crate) fn s3_client(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).force_path_style(config.endpoint_url().is_some()).build())
}
