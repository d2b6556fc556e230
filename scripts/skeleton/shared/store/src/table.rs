//! The DynamoDB table.

use aws_sdk_dynamodb::Client;
use ferrite_aws::dynamodb_client;
use ferrite_core::ports::PortError;

/// The DynamoDB table. Implements all ports that store notes.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// Uses the table `name`.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: dynamodb_client(config), name }
    }
}

/// Converts an SDK error to a port error with the name of the operation.
pub(crate) fn port_error<E>(operation: &'static str) -> impl Fn(E) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| PortError::new(operation, cause)
}
