//! The stack that the end-to-end tests run against, if it is deployed for them.

use std::path::Path;

use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::FileError;
use ferrite_local_stack::samconfig::{SamconfigError, Section};
use ferrite_local_stack::stack::{Deployment, StackError};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, ToolError, install};
use ferrite_token_issuer::issuer::{Issuer, IssuerError};
use serde_json::{Map, Value};

use crate::binaries::Built;
use crate::places::Place;

/// Why the stack could not be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The tools could not be installed.
    #[error(transparent)]
    Tools(#[from] ToolError),
    /// The code could not be staged.
    #[error(transparent)]
    File(#[from] FileError),
    /// The token issuer failed.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The deployment failed.
    #[error(transparent)]
    Stack(#[from] StackError),
}

/// The section `local` of samconfig.toml, with what only some places support.
///
/// # Errors
/// When it cannot be read.
pub fn section_for(checkout: &Checkout, place: Place) -> Result<Section, SamconfigError> {
    let mut section = Section::require(checkout, "local")?;
    if place == Place::Ministack {
        // LocalStack does not support them: tests/emulators/README.md says why.
        for parameter in ["Firewall", "Operations"] {
            section.parameters.insert(parameter.to_owned(), "enabled".to_owned());
        }
    }
    Ok(section)
}

/// Deploys template.yaml and the built functions as `stack`, and returns its outputs.
///
/// # Errors
/// When the deployment fails.
pub fn deploy(
    checkout: &Checkout,
    built: &Built,
    target: &Target,
    run_folder: &Path,
    config: &Section,
    stack: &str,
) -> Result<Map<String, Value>, DeployError> {
    let sam = install(checkout, &DEPLOY_TOOLS)?;
    let staging = Staging::in_run(run_folder)?;
    staging.put(&built.functions)?;
    staging.copy_template(checkout)?;
    let jwks = Issuer::open(&checkout.keys())?.jwks();
    Ok(Deployment { checkout, sam: &sam, target, config, jwks: &jwks }.deploy(&staging, stack, run_folder)?)
}
