//! The deployment that is checked.

use std::collections::BTreeMap;

use ferrite_aws_client::client::AwsClient;
use ferrite_local_stack::template::Template;

/// What is about to be deployed.
pub(crate) struct Deployment<'a> {
    /// Client with the credentials and the region of the deployment.
    pub(crate) aws: &'a AwsClient,
    /// Whether the client calls an emulator.
    pub(crate) is_emulator: bool,
    /// The template of the stack.
    pub(crate) template: &'a Template,
    /// The values of all parameters.
    pub(crate) parameters: &'a BTreeMap<String, String>,
    /// Name of the stack.
    pub(crate) stack: &'a str,
    /// Region of the stack.
    pub(crate) region: &'a str,
    /// Architecture of the functions: `arm64` or `x86_64`.
    pub(crate) architecture: &'a str,
}
