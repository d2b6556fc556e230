//! Deploys the stack for the end-to-end tests.

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

/// The error of a deployment for the tests.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The tools cannot be installed.
    #[error(transparent)]
    Tools(#[from] ToolError),
    /// The code cannot be staged.
    #[error(transparent)]
    File(#[from] FileError),
    /// The token issuer failed.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The deployment failed.
    #[error(transparent)]
    Stack(#[from] StackError),
}

/// The section `local` of samconfig.toml, with the optional parts of the stack that the place supports.
///
/// # Errors
/// Returns an error if samconfig.toml cannot be read or lacks the section.
pub fn section_for(checkout: &Checkout, place: Place) -> Result<Section, SamconfigError> {
    let mut section = Section::load(checkout, "local")?;
    if place == Place::Ministack {
        // LocalStack does not support these parts. tests/emulators/README.md gives the reasons.
        for parameter in ["Firewall", "Operations"] {
            section.parameters.insert(parameter.to_owned(), "enabled".to_owned());
        }
    }
    Ok(section)
}

/// Deploys template.yaml with the built functions as `stack`, and returns the outputs.
///
/// # Errors
/// Returns an error if the deployment fails.
pub fn deploy(
    checkout: &Checkout,
    built: &Built,
    target: &Target,
    run_folder: &Path,
    config: &Section,
    stack: &str,
) -> Result<Map<String, Value>, DeployError> {
    let sam = install(checkout, &DEPLOY_TOOLS)?;
    let staging = Staging::open(run_folder)?;
    staging.put(&built.functions)?;
    staging.copy_template(checkout)?;
    let jwks = Issuer::open(&checkout.keys_folder())?.jwks();
    Ok(Deployment { checkout, sam: &sam, target, config, jwks: &jwks }.deploy(&staging, stack, run_folder)?)
}
