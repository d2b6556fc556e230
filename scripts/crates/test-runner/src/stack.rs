//! The stack that the end-to-end tests run against, where it is one of their own.

use std::path::Path;

use serde_json::{Map, Value};

use crate::checkout::Checkout;
use crate::emulator::EmulatorKind;
use crate::endpoint::Target;
use crate::samconfig::Section;
use crate::skipped::Place;
use crate::stack::Deployment;
use crate::stage::Stage;
use crate::test_binaries::Built;
use crate::tools::{DEPLOY_TOOLS, install};
use crate::trouble::Trouble;

/// What samconfig.toml says of a local stack, with what only some places can have.
///
/// # Errors
/// When it cannot be read.
pub fn section_for(checkout: &Checkout, place: Place) -> Result<Section, Trouble> {
    let mut section = Section::require(checkout, "local")?;
    if place == Place::On(EmulatorKind::Ministack) {
        // LocalStack cannot have them: tests/emulators/README.md says why.
        for parameter in ["Firewall", "Operations"] {
            section.parameters.insert(parameter.to_owned(), "enabled".to_owned());
        }
    }
    Ok(section)
}

/// Deploys template.yaml and the functions that were built as `stack`, and returns its outputs.
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
) -> Result<Map<String, Value>, Trouble> {
    let sam = install(checkout, &DEPLOY_TOOLS)?;
    let stage = Stage::in_run(run_folder)?;
    stage.put(&built.functions)?;
    stage.copy_template(checkout)?;
    Deployment { checkout, sam: &sam, target, config }.deploy(&stage, stack, run_folder)
}
