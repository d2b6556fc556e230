//! AWS SDK clients for tests, which wait for each call.

use std::future::Future;

use aws_types::SdkConfig;
use tokio::runtime::{Builder, Runtime};

/// The configuration of the SDK clients, and the runtime that runs their calls.
#[derive(Debug)]
pub struct Sdk {
    runtime: Runtime,
    config: SdkConfig,
}

impl Sdk {
    /// The AWS endpoint under test.
    #[must_use]
    pub fn under_test() -> Self {
        Self {
            runtime: Builder::new_current_thread().enable_all().build().expect("the system has threads and timers"),
            config: ferrite_aws::sdk_config().expect("./scripts/test sets the AWS_* variables"),
        }
    }

    /// The configuration, for clients of other services.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A client of Amazon SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Amazon DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of Amazon S3.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        // The emulators have no DNS name for each bucket.
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Runs a future to completion. Use the futures of clients only with the `Sdk` that the client comes from.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
