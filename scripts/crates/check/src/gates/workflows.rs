//! zizmor on the workflows of GitHub Actions: their syntax, unpinned actions, permissions, and code injection.

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::each_line_logged;
use ferrite_local_stack::tools::Tools;

/// The folder of the workflows. A project that uses another CI system can delete it.
pub(crate) const FOLDER: &str = ".github/workflows";

/// Checks the workflows, without network access.
///
/// # Errors
/// Returns an error that quotes the findings of zizmor.
pub(crate) fn check(checkout: &Checkout, tools: &Tools, run: &str) -> anyhow::Result<()> {
    let mut command = tools.command("zizmor");
    command.args(["--offline", "--persona", "pedantic", "--no-progress", "--quiet"]);
    // Without this option, zizmor skips files that it cannot read.
    command.args(["--strict-collection", FOLDER]).current_dir(checkout.root());
    Ok(each_line_logged(&mut command, &checkout.run_folder(run)?.join("zizmor.log"), |_| {})?)
}
