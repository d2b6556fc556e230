//! cargo-deny: licenses, sources, banned and duplicate crates, and known vulnerabilities, as configured in deny.toml.

use std::process::Command;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::{ProcessError, run};
use ferrite_local_stack::tools::Tools;

/// Checks licenses, bans and sources.
///
/// # Errors
/// When cargo-deny finds something, which it has printed.
pub(crate) fn check(checkout: &Checkout, tools: &Tools) -> Result<(), ProcessError> {
    run(cargo_deny(checkout, tools).args([
        "check",
        "-D",
        "warnings",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}

/// Checks the dependencies against RustSec's advisories. Returns `false` if the database could not be fetched from GitHub.
///
/// # Errors
/// When an advisory affects a dependency, or a signal came.
pub(crate) fn check_advisories(checkout: &Checkout, tools: &Tools) -> Result<bool, ProcessError> {
    match run(cargo_deny(checkout, tools).args(["fetch", "db"]).stderr(std::process::Stdio::null())) {
        Err(ProcessError::Interrupted(interrupted)) => return Err(interrupted.into()),
        Err(_) => return Ok(false),
        Ok(()) => {}
    }
    run(cargo_deny(checkout, tools).args(["check", "advisories"])).map(|()| true)
}

fn cargo_deny(checkout: &Checkout, tools: &Tools) -> Command {
    let mut command = tools.command("cargo-deny");
    command.arg("--locked").current_dir(checkout.root());
    command
}
