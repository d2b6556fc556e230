//! cargo-shear: dependencies that no source file of a crate uses, and entries of the workspace table that no crate uses.

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::each_line_logged;
use ferrite_local_stack::tools::Tools;

/// Checks the manifests of all crates.
///
/// # Errors
/// Returns an error that quotes the findings of cargo-shear.
pub(crate) fn check(checkout: &Checkout, tools: &Tools, run: &str) -> anyhow::Result<()> {
    let mut command = tools.command("cargo-shear");
    command.args(["--locked", "--deny-warnings"]).current_dir(checkout.root());
    let log = checkout.run_folder(run)?.join("cargo-shear.log");
    each_line_logged(&mut command, &log, |_| {}).context(
        "remove the dependency from the manifest; if it is needed without being named in the code, add it to `ignored` in \
         [package.metadata.cargo-shear] with the reason",
    )
}
