//! Release builds of the functions for Lambda, with cargo-lambda.

use std::path::Path;
use std::process::Command;

use crate::checkout::Checkout;
use crate::functions::remove_package_variables;
use crate::process::{ProcessError, run};
use crate::tools::Tools;

/// Builds functions with the release profile, each into `folder/<function>/bootstrap`.
///
/// `architecture` is `arm64` or `x86_64`.
///
/// # Errors
/// Returns an error if the build fails.
pub fn build_for_lambda(
    checkout: &Checkout,
    tools: &Tools,
    folder: &Path,
    architecture: &str,
    functions: &[String],
) -> Result<(), ProcessError> {
    run(&mut lambda_build(checkout, tools, folder, architecture, functions))
}

/// Returns the cargo-lambda command that [`build_for_lambda`] runs.
#[must_use]
pub fn lambda_build(checkout: &Checkout, tools: &Tools, folder: &Path, architecture: &str, functions: &[String]) -> Command {
    let mut command = tools.command("cargo-lambda");
    remove_package_variables(&mut command);
    command.args(["lambda", "build", "--release"]).current_dir(checkout.root());
    command.arg(if architecture == "arm64" { "--arm64" } else { "--x86-64" });
    command.arg("--lambda-dir").arg(folder);
    for function in functions {
        command.args(["--package", function]);
    }
    command
}
