//! cargo-deny: licenses, sources, banned and duplicate crates, and known vulnerabilities, as configured in deny.toml.

use std::path::Path;
use std::process::Command;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::{ProcessError, each_line_logged};
use ferrite_local_stack::tools::Tools;

/// Checks licenses, bans and sources.
///
/// # Errors
/// Returns an error that quotes the findings of cargo-deny.
pub(crate) fn check(checkout: &Checkout, tools: &Tools, run: &str) -> anyhow::Result<()> {
    let mut command = cargo_deny(checkout, tools);
    command.args(["check", "-D", "warnings", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
    Ok(logged(&mut command, &checkout.run_folder(run)?.join("cargo-deny.log"))?)
}

/// Checks the dependencies against the advisories of RustSec. Returns `false` if the database could not be downloaded from
/// GitHub.
///
/// # Errors
/// Returns an error if an advisory affects a dependency, or after an interrupt.
pub(crate) fn check_advisories(checkout: &Checkout, tools: &Tools, run: &str) -> anyhow::Result<bool> {
    let log = checkout.run_folder(run)?.join("cargo-deny-advisories.log");
    match logged(cargo_deny(checkout, tools).args(["fetch", "db"]), &log) {
        Err(error @ ProcessError::Interrupted(_)) => return Err(error.into()),
        Err(_) => return Ok(false),
        Ok(()) => {}
    }
    logged(cargo_deny(checkout, tools).args(["check", "--hide-inclusion-graph", "advisories"]), &log)?;
    Ok(true)
}

fn logged(command: &mut Command, log: &Path) -> Result<(), ProcessError> {
    each_line_logged(command, log, |_| {})
}

fn cargo_deny(checkout: &Checkout, tools: &Tools) -> Command {
    let mut command = tools.command("cargo-deny");
    command.arg("--locked").current_dir(checkout.root());
    command
}
